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
from .contents import content_batches
from .context import TransferContext
from .cost import Cost, Progress
from .generation import Generation
from .inputs import Content, Models, StyleInput
from .options import TransferOptions
from .style_planning import style_references


@dataclass(frozen=True)
class TransferResult:
    """`images`: list of [3, H, W] in 0..1, one per content, in order; `latents`: list of [C, h, w] (padded to whole
    cells); `cost` in E with its formula; `seconds` of wall clock."""

    images: list[Tensor]
    latents: list[Tensor]
    cost: Cost
    seconds: float


def stylize(
    models: Models | Backend,
    contents: Sequence[Content | Tensor | None] | Tensor,
    styles: Sequence[StyleInput | Tensor | str],
    options: TransferOptions | None = None,
    *,
    negative: str = "",
    seed: int = 0,
    steering: Steering | None = None,
    progress: Progress | None = None,
) -> TransferResult:
    """Repaint `contents` in the style of `styles`.

    * models: the model, or one for each process.
    * contents: pictures [3, H, W] in 0..1, or `Content` with a prompt and a mask; sizes may differ, those of equal size
      run as one batch. All of them pictures, or all without one: then results are sampled from noise, and the options
      that need a picture are set aside (`TransferOptions.without_content`).
    * styles: pictures or prompts, or `StyleInput` with a weight and masks. Together they share one attention.
    * negative: text of the unconditional branch.
    * steering: moves generation's predicted x0 at every step, after everything else (say
      `swf_core.color.guidance.ColorGuidance`).
    * progress: called with a value in 0..1 and generation's x0 latents or None; raising from it cancels.

    Raises ValueError (UserError) for options, layers, masks or weights that do not fit.
    """
    began = time.perf_counter()
    models, contents = Models.of(models), [Content.of(content) for content in contents]
    if not contents or not styles:
        raise UserError("Nothing to do: give at least one content and at least one style.")
    options = _options_for(contents, options or TransferOptions())
    context = TransferContext.plan(models, options, negative, seed, progress)
    batches = content_batches(contents, context)
    planned = style_references([StyleInput.of(style) for style in styles], context)
    shared = [style for style, _ in planned]
    runs = [Generation(context, batch, shared, steering, keep_styles=len(batches) > 1) for batch in batches]
    for _, reference in planned:
        reference.run()
    images: list[Tensor] = [torch.empty(0)] * len(contents)
    latents: list[Tensor] = list(images)
    for run in runs:
        clean = run.run()
        decoded = models.generation.codec.decode(clean)
        for row, (index, (height, width)) in enumerate(zip(run.batch.indices, run.batch.sizes_px)):
            images[index], latents[index] = decoded[row, :, :height, :width], clean[row]
    for style in shared:
        style.process.bank.clear()
    return TransferResult(images, latents, context.meter.cost(), time.perf_counter() - began)


def _options_for(contents: Sequence[Content], options: TransferOptions) -> TransferOptions:
    empty = sum(content.picture is None for content in contents)
    if empty not in (0, len(contents)):
        raise UserError(f"{empty} of {len(contents)} contents have no picture; run those on their own.")
    return options.without_content() if empty else options
