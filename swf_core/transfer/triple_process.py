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
from .key_frame import KeyFrames
from .options import TransferOptions
from .reference import Reference, run_together
from .reference_cache import ReferenceCache
from .style_planning import style_references
from .styles import Style


@dataclass(frozen=True)
class TransferResult:
    """`images`: list of [3, H, W] in 0..1, one per content, in order; `latents`: list of [C, h, w] (padded to whole
    cells); `cost` in E with its formula; `seconds` of wall clock; `notes`: sentences on what was decided for memory."""

    images: list[Tensor]
    latents: list[Tensor]
    cost: Cost
    seconds: float
    notes: tuple[str, ...] = ()


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
    shared = SharedStyles(models, styles, options, negative=negative, seed=seed, steering=steering)
    return shared.stylize(contents, progress, last=True)


class SharedStyles:
    """The styles of a transfer, whose processes run once for all the contents that come one after the other.

    Arguments are those of `stylize`, and so are the errors; `cache`: a folder in which what the style pictures showed
    is kept for the next process, too. Results are the same bytes whichever contents came before, and those of one call
    but for rounding: there, style and content share network calls (`joined`).
    """

    def __init__(
        self,
        models: Models | Backend,
        styles: Sequence[StyleInput | Tensor | str],
        options: TransferOptions | None = None,
        *,
        negative: str = "",
        seed: int = 0,
        steering: Steering | None = None,
        cache: ReferenceCache | None = None,
    ):
        self._models, self._options = Models.of(models), options or TransferOptions()
        self._inputs = [StyleInput.of(style) for style in styles]
        self._negative, self._seed, self._steering, self._cache = negative, seed, steering, cache
        self._planned: list[tuple[Style, Reference]] | None = None

    def stylize(
        self,
        contents: Sequence[Content | Tensor | None] | Tensor,
        progress: Progress | None = None,
        *,
        last: bool = False,
        keys: KeyFrames | None = None,
    ) -> TransferResult:
        """Repaint these contents. `last`: none come after them, so what the styles showed goes while it is read.

        `keys`: a picture painted before that is read beside the styles, and one that this one becomes (`key_frame`).
        """
        began, models = time.perf_counter(), self._models
        contents = [Content.of(content) for content in contents]
        if not contents or not self._inputs:
            raise UserError("Nothing to do: give at least one content and at least one style.")
        options = _options_for(contents, self._options)
        context = TransferContext.plan(models, options, self._negative, self._seed, progress)
        batches = content_batches(contents, context)
        if self._planned is None:
            self._planned = style_references(self._inputs, context)
        else:
            for _, reference in self._planned:
                reference.again(context)
        shared = [style for style, _ in self._planned]
        keep = not last or len(batches) > 1
        runs = [Generation(context, batch, shared, self._steering, keep_styles=keep, keys=keys) for batch in batches]
        references = [reference for _, reference in self._planned]
        if keep or self._cache:  # by themselves, so that no result depends on which content came first
            for reference in references:
                reference.run(self._cache)
        else:
            run_together([*references, *(run.content for run in runs if run.content is not None)])
        images: list[Tensor] = [torch.empty(0)] * len(contents)
        latents: list[Tensor] = list(images)
        for run in runs:
            clean = run.run()
            decoded = models.generation.codec.decode(clean)
            for row, (index, (height, width)) in enumerate(zip(run.batch.indices, run.batch.sizes_px)):
                images[index], latents[index] = decoded[row, :, :height, :width], clean[row]
        if last:
            self.forget()
        return TransferResult(images, latents, context.meter.cost(), time.perf_counter() - began, tuple(context.notes))

    @property
    def cell_px(self) -> int:
        """The side of a latent cell in the picture."""
        return self._models.generation.codec.downscale

    @property
    def latent_channels(self) -> int:
        """How many channels a latent has."""
        return self._models.generation.codec.channels

    @property
    def side_px(self) -> int:
        """The long side of contents and results; 0 leaves pictures as they are."""
        size = self._options.size_px
        return self._models.generation.native_size_px if size is None else size

    def forget(self) -> None:
        """Drop what the styles showed; contents after this find it anew."""
        for style, _ in self._planned or ():
            style.process.bank.clear()
        self._planned = None


def _options_for(contents: Sequence[Content], options: TransferOptions) -> TransferOptions:
    empty = sum(content.picture is None for content in contents)
    if empty not in (0, len(contents)):
        raise UserError(f"{empty} of {len(contents)} contents have no picture; run those on their own.")
    return options.without_content() if empty else options
