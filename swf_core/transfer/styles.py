"""The style processes of a run: each a picture, or a prompt that is sampled beside the transfer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import UserError
from ..models.contracts import AttentionLayer, Backend
from . import randomness
from .cost import Meter
from .features import FeatureBank, mask_to_grid
from .injection import StyleRows
from .layers import same_layers
from .levels import Levels
from .options import TransferOptions
from .reference import Reference
from .sizes import mask_like, pad_to_cells, to_long_side


@dataclass
class Style:
    """One style's process, its weight, its padded mask [h, w] of what may be read of it, and its place: a mask
    [1 or B, h, w] of where in the result it counts, None for everywhere."""

    process: Reference
    weight: float
    readable: Tensor | None
    place: Tensor | None = None

    def rows(self, sigma: float, layer: str, place: Tensor | None = None) -> StyleRows:
        """What generation reads of it in one layer; `place`: its place on that layer's grid."""
        bank = self.process.bank
        readable = None if self.readable is None else mask_to_grid(self.readable, bank.grid(layer))[0]
        q = bank.get(sigma, layer, "q") if "q" in bank.parts else None
        return StyleRows(bank.get(sigma, layer, "k"), bank.get(sigma, layer, "v"), self.weight, readable, q, place)


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
    keep: bool,
) -> list[Style]:
    """Plan one process per style with a weight above 0; nothing is evaluated before `process.start()`.

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
    found = []
    for index, (style, weight, mask) in enumerate(zip(styles, weights, masks)):
        if weight == 0.0:
            continue
        name = "style" if len(styles) == 1 else f"style {index + 1}"
        parts = "qkv" if options.leak_guard > 0.0 or options.injection.query_adain > 0.0 else "kv"
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
            name, backend.denoiser, backend.text.encode([text], height, width), bank, wanted, options, meter, keep=keep
        )
        if picture is None:
            noise = randomness.noise_like(empty, seed, randomness.STYLE, index)
            process.from_text(noise, levels.full, backend.text.encode([negative], height, width))
        elif wanted or options.adain > 0.0:
            latents = backend.codec.encode(picture)
            noise = randomness.noise_like(latents, seed, randomness.STYLE, index)
            process.from_picture(latents, options.style_encoding, levels.inverted[::-1], noise)
        found.append(Style(process, weight, mask, where[index]))
    return found
