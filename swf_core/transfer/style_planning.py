"""The style processes of a run, planned: each a picture, or a prompt that is sampled beside the transfer."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from ..errors import UserError
from ..models.contracts import AttentionLayer, Backend
from . import randomness
from .cost import Meter
from .features import FeatureBank, parts_read
from .layers import same_layers
from .options import TransferOptions
from .reference import Reference
from .sigmas import Levels
from .sizes import mask_like, pad_to_cells, to_long_side
from .styles import Style


def style_processes(
    backend: Backend,
    styles: Sequence[Tensor | str],
    weights: Sequence[float] | None,
    readable: Sequence[Tensor | None] | None,
    places: Sequence[Tensor | None] | None,
    layers: Sequence[AttentionLayer],
    levels: Levels,
    options: TransferOptions,
    meter: Meter,
    *,
    negative: str,
    seed: int,
    long_side_px: int,
) -> tuple[list[Style], list[Reference]]:
    """Plan one process per style with a weight above 0; nothing is evaluated before a reference's `start()`.

    Its place stays as given: it belongs to the contents, whose sizes differ.
    """
    weights = [1.0] * len(styles) if weights is None else list(weights)
    masks = [None] * len(styles) if readable is None else list(readable)
    where = [None] * len(styles) if places is None else list(places)
    if {len(weights), len(masks), len(where)} != {len(styles)}:
        raise UserError(f"{len(styles)} styles were given; give as many weights, readable masks and places.")
    if any(not 0.0 <= w < math.inf for w in weights) or sum(weights) <= 0.0:
        raise UserError(f"Style weights are {list(weights)}; each must be at least 0, and one above 0.")
    same_layers(backend, layers, "style")
    wanted = [sigma for sigma in levels.read if options.injection.active(sigma)]
    cell, device = backend.codec.downscale, backend.denoiser.device
    side = long_side_px if options.style_size_px is None else options.style_size_px
    planned: list[Style] = []
    references: list[Reference] = []
    for index, (style, weight, mask) in enumerate(zip(styles, weights, masks)):
        if weight == 0.0:
            continue
        name = "style" if len(styles) == 1 else f"style {index + 1}"
        parts = parts_read(options.injection, options.leak_guard)
        bank = FeatureBank([layer.name for layer in layers], parts, options.precision)
        if isinstance(style, str):
            size = math.ceil((side or backend.native_size_px) / cell) * cell
            picture, text, height, width = None, style, size, size
            empty = torch.zeros((1, backend.codec.channels, size // cell, size // cell), device=device)
        else:
            fitted = to_long_side(style, side)
            picture, text = pad_to_cells(fitted, cell)[None].to(device), options.style_prompt
            height, width = picture.shape[-2:]
            mask = None if mask is None else mask_like(mask.cpu(), fitted.cpu(), cell)
        if mask is not None and float(mask.max()) <= 0.0:
            raise UserError("A readable mask is 0 everywhere; leave some of the style picture to read.")
        process = Reference(
            name, backend.denoiser, backend.text.encode([text], height, width), bank, wanted, options, meter
        )
        references.append(process)
        if picture is None:
            noise = randomness.noise_like(empty, seed, randomness.STYLE, index)
            process.from_text(noise, levels.full, backend.text.encode([negative], height, width))
        elif wanted or options.adain > 0.0:
            latents = backend.codec.encode(picture)
            noise = randomness.noise_like(latents, seed, randomness.STYLE, index)
            process.from_picture(latents, options.style_encoding, levels, noise)
        planned.append(Style(process, weight, mask, where[index]))
    return planned, references
