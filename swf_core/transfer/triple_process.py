"""The triple process: content, style and generation at the same noise levels (arXiv 2506.15033, stage 3).

Content's self-attention shows its queries, style's its keys and values; generation's reads them (`injection`).
Cross-attention is never touched, so text stays in control of generation. The paper leaves open which weights run which
process: content, style, generation and the unconditional branch each may have a model of their own here.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import UserError
from ..models.contracts import Backend, Steering
from .cost import Cost, Meter, Progress
from .generation import Generation
from .layers import choose_layers
from .levels import plan_levels
from .options import TransferOptions
from .sizes import mask_like, pad_to_cells, to_long_side
from .style_planning import style_processes


@dataclass(frozen=True)
class TransferResult:
    """`images`: list of [3, H, W] in 0..1, one per content, in order; `latents`: list of [C, h, w] (padded to whole
    cells); `cost` in E with its formula; `seconds` of wall clock."""

    images: list[Tensor]
    latents: list[Tensor]
    cost: Cost
    seconds: float


def stylize(
    backend: Backend,
    contents: Sequence[Tensor] | Tensor,
    styles: Sequence[Tensor | str],
    options: TransferOptions | None = None,
    *,
    seed: int = 0,
    prompts: str | Sequence[str] = "",
    negative: str = "",
    style_weights: Sequence[float] | None = None,
    place: Tensor | Sequence[Tensor | None] | None = None,
    readable: Sequence[Tensor | None] | None = None,
    style_places: Sequence[Tensor | None] | None = None,
    content_model: Backend | None = None,
    style_model: Backend | None = None,
    unconditional_model: Backend | None = None,
    steering: Steering | None = None,
    progress: Progress | None = None,
) -> TransferResult:
    """Repaint `contents` in the style of `styles`.

    * contents: pictures [3, H, W] in 0..1, sizes may differ; those of equal size run as one batch.
    * styles: pictures, or prompts: a prompt is sampled freely beside the transfer and its process is the style.
      Together they share one attention, by `style_weights` (>= 0).
    * prompts: text for the results, one for all or one each; it acts most with `options.cfg` above 1. `negative`: of
      the unconditional branch.
    * place: mask [h, w] in 0..1, one for all or one per content: where the style goes. style_places: per style, a mask
      of where it goes among the others. readable: per style, a mask of what may be read of it. Any resolution.
    * content_model, style_model, unconditional_model: other weights of the same shape for these processes.
    * steering: moves generation's predicted x0 at every step, after everything else (say
      `swf_core.color.guidance.ColorGuidance`).
    * progress: called with a value in 0..1 and generation's x0 latents or None; raising from it cancels.

    Raises ValueError (UserError) for options, layers, masks or weights that do not fit.
    """
    began = time.perf_counter()
    options = options or TransferOptions()
    meter = Meter(progress)
    cell = backend.codec.downscale
    device = backend.denoiser.device
    long_side = backend.native_size_px if options.size_px is None else options.size_px
    pictures = [to_long_side(picture, long_side) for picture in contents]
    if not pictures or not styles:
        raise UserError("Nothing to do: give at least one content and at least one style.")
    texts = [prompts] * len(pictures) if isinstance(prompts, str) else list(prompts)
    places = [place] * len(pictures) if place is None or isinstance(place, Tensor) else list(place)
    if len(texts) != len(pictures) or len(places) != len(pictures):
        raise UserError(f"{len(pictures)} contents were given; give one prompt and one mask for all, or one each.")
    levels = plan_levels(backend.denoiser.sigmas, options)
    layers = choose_layers(backend, options.injection.layers)
    groups = _groups([pad_to_cells(picture, cell) for picture in pictures], options.batch)
    style_list, references = style_processes(
        style_model or backend,
        styles,
        style_weights,
        readable,
        style_places,
        layers,
        levels,
        options,
        meter,
        negative=negative,
        seed=seed,
        long_side_px=long_side,
    )
    runs = [
        Generation(
            backend,
            content_model or backend,
            unconditional_model,
            options,
            levels,
            layers,
            meter,
            style_list,
            seed,
            steering=steering,
            keep_styles=len(groups) > 1,
            pictures=torch.stack([pad_to_cells(pictures[i], cell) for i in group]).to(device),
            texts=[texts[i] for i in group],
            negative=negative,
            place=_stack_places([places[i] for i in group], [pictures[i] for i in group], cell),
            style_places=[_stack_places([style.place], [pictures[group[0]]], cell) for style in style_list],
        )
        for group in groups
    ]
    for reference in references:
        reference.start()
    images: list[Tensor] = [torch.empty(0)] * len(pictures)
    latents: list[Tensor] = list(images)
    for group, run in zip(groups, runs):
        clean = run.run()
        decoded = backend.codec.decode(clean)
        for row, index in enumerate(group):
            height, width = pictures[index].shape[-2:]
            images[index], latents[index] = decoded[row, :, :height, :width], clean[row]
    for style in style_list:
        style.process.bank.clear()
    return TransferResult(images, latents, meter.cost(), time.perf_counter() - began)


def _groups(pictures: Sequence[Tensor], batch: int) -> list[list[int]]:
    """Indices of pictures of equal size, at most `batch` together, in order of first appearance."""
    by_size: dict[tuple[int, ...], list[int]] = {}
    for index, picture in enumerate(pictures):
        by_size.setdefault(tuple(picture.shape), []).append(index)
    return [group[i : i + batch] for group in by_size.values() for i in range(0, len(group), batch)]


def _stack_places(masks: Sequence[Tensor | None], pictures: Sequence[Tensor], cell_px: int) -> Tensor | None:
    if all(mask is None for mask in masks):
        return None
    full = [torch.ones(p.shape[-2:]) if mask is None else mask for mask, p in zip(masks, pictures)]
    return torch.stack([mask_like(mask.cpu(), picture.cpu(), cell_px) for mask, picture in zip(full, pictures)])
