"""The style processes of a run, planned: each a picture, or a prompt that is sampled beside the transfer."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from ..errors import UserError
from ..models.round_trip import pad_to_cells
from . import randomness
from .context import TransferContext
from .features import parts_read
from .inputs import StyleInput
from .reference import Reference
from .roles import Role
from .sizes import mask_like, to_long_side
from .styles import Style


def style_references(inputs: Sequence[StyleInput], context: TransferContext) -> list[tuple[Style, Reference]]:
    """Plan one process per style with a weight above 0; nothing is evaluated before its `run`.

    A style's place stays as given: it belongs to the contents, whose sizes differ.
    """
    if sum(style.weight for style in inputs) <= 0.0:
        weights = [style.weight for style in inputs]
        raise UserError(f"Style weights are {weights}; each must be at least 0, and one above 0.")
    used, planned = sum(style.weight > 0.0 for style in inputs), []
    for index, style in enumerate(inputs):
        if style.weight == 0.0:
            continue
        name = "style" if len(inputs) == 1 else f"style {index + 1}"
        if isinstance(style.picture_or_text, str):
            reference, readable = _of_text(name, index, style.picture_or_text, context, used), style.readable
            _check_readable(readable)
        else:
            reference, readable = _of_picture(name, index, style, context, used)
        if reference is not None:
            planned.append((Style(reference, style.weight, readable, style.place), reference))
    return planned


def _of_text(name: str, index: int, text: str, context: TransferContext, used: int) -> Reference:
    backend = context.models.style or context.models.generation
    cell = backend.codec.downscale
    size = math.ceil((_side_px(context) or backend.native_size_px) / cell) * cell
    empty = torch.zeros((1, backend.codec.channels, size // cell, size // cell), device=backend.denoiser.device)
    noise = randomness.noise_like(empty, context.seed, randomness.STYLE, index)
    negative = backend.text.encode([context.negative], size, size)
    return Reference.of_text(_role(name, text, (size, size), context, used), context, noise, negative)


def _of_picture(
    name: str, index: int, style: StyleInput, context: TransferContext, used: int
) -> tuple[Reference | None, Tensor | None]:
    """The process of a picture, and its readable mask padded like it; None where nothing of it is ever read."""
    picture, readable = style.picture_or_text, style.readable
    assert isinstance(picture, Tensor)
    backend = context.models.style or context.models.generation
    cell = backend.codec.downscale
    fitted = to_long_side(picture, _side_px(context))
    if readable is not None:
        readable = mask_like(readable.cpu(), (int(fitted.shape[-2]), int(fitted.shape[-1])), cell)
    _check_readable(readable)
    options = context.options
    unread = not context.style_levels()
    if unread and options.adain == 0.0 and options.calibration.amount == 0.0:
        return None, readable
    # Layout guidance from noise, and calibration, read the clean latents alone.
    tones_alone = unread and (options.adain == 0.0 or options.renoise == 1.0)
    encoding = "stochastic" if tones_alone else options.style_encoding
    padded = pad_to_cells(fitted, cell)[None].to(backend.denoiser.device)
    role = _role(name, options.style_prompt, (int(padded.shape[-2]), int(padded.shape[-1])), context, used)
    latents = backend.codec.encode(padded)
    noise = randomness.noise_like(latents, context.seed, randomness.STYLE, index)
    return Reference.of_picture(role, context, latents, encoding, noise), readable


def _role(name: str, text: str, size_px: tuple[int, int], context: TransferContext, used: int) -> Role:
    backend, options = context.models.style or context.models.generation, context.options
    parts, cond = parts_read(options.injection, options.leak_guard), backend.text.encode([text], *size_px)
    height, width = (side // backend.codec.downscale for side in size_px)
    return context.role(name, backend, cond, parts, context.style_levels(), (1, height, width), used)


def _side_px(context: TransferContext) -> int:
    size = context.options.style_size_px
    return context.side_px if size is None else size


def _check_readable(mask: Tensor | None) -> None:
    if mask is not None and float(mask.max()) <= 0.0:
        raise UserError("A readable mask is 0 everywhere; leave some of the style picture to read.")
