"""FlowEdit: a content without inversion, of which only what the target changes is carried down the noise levels.

    z_src = (1 - t) c + t eps,  z_tar = z + z_src - c,  z <- z + (t' - t) * mean over eps of [V(z_tar) - V(z_src)]

(arXiv 2412.08629, algorithm 1), from z = c. In sigma space, with the edit E = (1 + sigma) (z - c) and predictions x0:

    x_src = c + sigma * eps,  x_tar = x_src + E,  E <- D + sigma' / sigma * (E - D),  D = mean of [x0_tar - x0_src]

which is the sampler's own step with D in the place of x0. So it runs on any model, by any solver without noise of its
own. V of the source is the model under `content_prompt` without injection; it shows content's features on its way.
Departs from the paper: E begins at the style's tones (`TransferOptions.adain`), 0 is the paper's; styles are injected
into the target.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from ..models.contracts import Backend
from .context import TransferContext
from .features import FeatureBank, content_parts
from .joined import Rows, denoise_together
from .sampler import Guidance, run_sampler


class SourceBranch:
    """The source of an edit: `rows` contents of a size, predicted from noise under the content's own words.

    `bank`: the features that it shows at the level that it was last evaluated at, where generation reads any. Made, it
    has announced what it costs.
    """

    def __init__(self, context: TransferContext, rows: int, size_px: tuple[int, int]):
        options, self._context, self._meter = context.options, context, context.meter
        backend: Backend = context.models.content or context.models.generation
        words = backend.text.encode([options.content_prompt], *size_px).repeat(rows)
        without = None
        if options.source_cfg != 1.0:
            without = backend.text.encode([context.negative], *size_px).repeat(rows)
        self._guidance = Guidance(
            backend.denoiser,
            words,
            without,
            options.source_cfg,
            detail=options.cfg_detail,
            guides_at=options.guides_at,
        )
        self._levels = context.content_levels()
        self.bank = FeatureBank(context.layer_names, content_parts(options.injection), options.precision)
        evaluations = sum(map(self._guidance.passes_at, context.levels.read)) * options.edit_average
        self._meter.plan("source", rows, evaluations)

    def x0(self, x: Tensor, sigma: float) -> Tensor:
        """The source's x0 of noisy contents [B, C, h, w], as `Guidance.x0` would have it."""
        guidance, recorder = self._guidance, None
        if sigma in self._levels:
            self.bank.forget(sigma)
            recorder = self.bank.recorder(sigma)
        parts = [Rows(x, guidance.positive, recorder)]
        if guidance.negative is not None and guidance.passes_at(sigma) == 2:
            parts.insert(0, Rows(x, guidance.negative))
        predicted: Sequence[Tensor] = denoise_together(self._meter, guidance.denoiser, parts, sigma)
        return predicted[0] if len(parts) == 1 else guidance.guided(predicted[0], predicted[1])

    def carry(
        self,
        contents: Tensor,
        edit: Tensor,
        noise: Callable[[int], Tensor],
        target: Callable[[Tensor, float], Tensor],
        passed: Callable[[float], None],
    ) -> Tensor:
        """The edit of clean `contents` [B, C, h, w] down the run's levels, from its beginning `edit`.

        `noise`: unit noise of draw 0, 1, ..; `target`: generation's x0, asked after the source has shown its features;
        `passed`: told that a level is done.
        """
        levels, options = self._context.levels, self._context.options
        draws = iter(range(len(levels.read) * options.edit_average))

        def change(edit: Tensor, sigma: float) -> Tensor:
            total = torch.zeros_like(edit)
            for _ in range(options.edit_average):
                noisy = contents + sigma * noise(next(draws))
                without = self.x0(noisy, sigma)
                total = total + (target(noisy + edit, sigma) - without)
            passed(sigma)
            return total / options.edit_average

        def report(changed: Tensor) -> None:
            self._meter.report(contents + changed)

        edit = run_sampler(change, [edit], levels.sampled, end=levels.end, solver=options.solver, on_x0=report)
        self.bank.clear()
        return edit
