"""The sampler's loop, classifier-free guidance, and steering."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..finite import check_finite
from ..models.contracts import AttentionEdit, Backend, Conditioning, Denoiser, Steering, join
from .cost import Meter
from .detail_guidance import detail_of
from .flow_steps import FLOW_STEPS, walk
from .inversion import bdia_step
from .joined import Rows, denoise_together
from .noisy_steps import NoisySteps

# The function of one sampling, see `Steering.begin`.
Steer = Callable[[float, Tensor, Tensor, Sequence[Tensor]], Tensor]


def run_sampler(
    evaluate: Callable[[Tensor, float], Tensor],
    start: Sequence[Tensor],
    levels: Sequence[float],
    *,
    end: float = 0.0,
    solver: str = "euler",
    noisy: NoisySteps | None = None,
    on_x0: Callable[[Tensor], None] | None = None,
) -> Tensor:
    """Go down the falling `levels` to `end` with x0 = evaluate(x, sigma).

    "euler" starts from start[0] at levels[0] and evaluates at every level; it is DDIM with eta 0. "bdia" (gamma 1, see
    `trajectory.invert_bdia`) starts from start[0] at levels[0] and start[1] at levels[1] and evaluates at all but the
    first. "midpoint" and "fireflow" start as "euler" does and evaluate between the levels, too (`flow_steps.walked`).
    `noisy`: the steps of a solver that adds fresh noise; it starts and evaluates as "euler" does.
    Returns the latent at `end`, float32. Raises UserError as soon as x0 is no longer finite.
    """
    if solver in FLOW_STEPS:
        return _run_flow(solver, evaluate, start[0].float(), [*levels, end], on_x0)
    if solver != "bdia":
        x = start[0].float()
        for index, (here, there) in enumerate(zip(levels, [*levels[1:], end])):
            x0 = check_finite(evaluate(x, here), f"The prediction at noise level {here:.3g}")
            if noisy is not None:
                x = noisy.step(index, x, x0, here, there)
            else:
                x = x0 if there == 0.0 else x + (there - here) * (x - x0) / here
            if on_x0 is not None:
                on_x0(x0)
        return x
    above, here_x = start[0].double(), start[1].double()
    for higher, here, there in zip(levels, levels[1:], [*levels[2:], end]):
        x0 = check_finite(evaluate(here_x.float(), here), f"The prediction at noise level {here:.3g}")
        above, here_x = here_x, bdia_step(above, here_x, x0.double(), higher, here, there)
        if on_x0 is not None:
            on_x0(x0)
    return here_x.float()


def _run_flow(
    kind: str,
    evaluate: Callable[[Tensor, float], Tensor],
    start: Tensor,
    grid: Sequence[float],
    on_x0: Callable[[Tensor], None] | None,
) -> Tensor:
    x = x0 = start

    def velocity(x: Tensor, sigma: float) -> Tensor:
        nonlocal x0
        x0 = check_finite(evaluate(x, sigma), f"The prediction at noise level {sigma:.3g}")
        return (x - x0) / sigma - x0

    for _, _, here_x in walk(kind, velocity, start, grid):
        if on_x0 is not None:
            on_x0(x0)
        x = here_x
    return x


def _everywhere(sigma: float) -> bool:
    return True


@dataclass(frozen=True)
class Guidance:
    """Who predicts: `denoiser` with `positive`; and, unless `cfg` is 1, `unconditional` with `negative`.

    The unconditional branch may be another denoiser (the base model without a LoRA): asymmetric guidance. `detail`:
    0..1, how far guidance is held to detail (`detail_guidance`). `guides_at`: whether it guides at a noise level.
    """

    denoiser: Denoiser
    positive: Conditioning
    negative: Conditioning | None = None
    cfg: float = 1.0
    unconditional: Denoiser | None = None
    detail: float = 0.0
    guides_at: Callable[[float], bool] = _everywhere

    def x0(self, meter: Meter, x: Tensor, sigma: float, edit: AttentionEdit | None = None) -> Tensor:
        """x0 for rows `x` [B, C, h, w]; both halves get the same edit. E: B, or 2B with guidance."""
        return self.both(meter, x, sigma, edit)[0]

    def copies_at(self, sigma: float) -> int:
        """How often a call holds the rows of generation: twice with both branches of guidance."""
        together = self.unconditional is None or self.unconditional is self.denoiser
        return 2 if self.passes_at(sigma) == 2 and together else 1

    def passes_at(self, sigma: float) -> int:
        """Evaluations of a row at a noise level: 2 with guidance."""
        return 2 if self.cfg != 1.0 and self.negative is not None and self.guides_at(sigma) else 1

    def both(
        self,
        meter: Meter,
        x: Tensor,
        sigma: float,
        edit: AttentionEdit | None = None,
        beside: Sequence[Rows] = (),
    ) -> tuple[Tensor, Tensor]:
        """x0 with guidance, and x0 under `positive` alone. `beside`: references evaluated in the same call, before."""
        rows = x.shape[0]
        positive = self.positive.repeat(rows)
        if self.negative is None or self.passes_at(sigma) == 1:
            plain = denoise_together(meter, self.denoiser, [*beside, Rows(x, positive, edit)], sigma)[-1]
            return plain, plain
        negative = self.negative.repeat(rows)
        if self.unconditional is None or self.unconditional is self.denoiser:
            branches = Rows(torch.cat([x, x]), join([negative, positive]), edit)
            without, with_text = denoise_together(meter, self.denoiser, [*beside, branches], sigma)[-1].chunk(2)
        else:
            with_text = denoise_together(meter, self.denoiser, [*beside, Rows(x, positive, edit)], sigma)[-1]
            without = meter.denoise(self.unconditional, x, sigma, negative, edit)
        return self.guided(without, with_text), with_text

    def guided(self, without: Tensor, with_text: Tensor) -> Tensor:
        """x0 with guidance, from those of both branches."""
        if self.detail == 0.0:
            return without + self.cfg * (with_text - without)
        return with_text + (self.cfg - 1.0) * detail_of(with_text - without, with_text, self.detail)


class Steered:
    """Steerings, one after the other, through one sampling of `rows` pictures of a size; none of them is allowed."""

    def __init__(
        self,
        steerings: Sequence[Steering],
        backend: Backend,
        rows: int,
        size_px: tuple[int, int],
        levels: Sequence[float],
        meter: Meter,
    ):
        self.denoiser = backend.denoiser
        self.begun: list[tuple[Steering, Steer, list[Conditioning]]] = []
        for steering in steerings:
            texts = [backend.text.encode([text], *size_px).repeat(rows) for text in steering.prompts]
            self.begun.append((steering, steering.begin(), texts))
            if texts:
                meter.plan("color concepts", rows * len(texts), sum(steering.active(sigma) for sigma in levels))

    def x0(
        self, guided: tuple[Tensor, Tensor], meter: Meter, x: Tensor, sigma: float, edit: AttentionEdit | None = None
    ) -> Tensor:
        """`guided` (see `Guidance.both`), steered; the texts are evaluated with the same edit as generation was."""
        x0, positive = guided
        for steering, steer, texts in self.begun:
            if steering.active(sigma):
                predictions = [meter.denoise(self.denoiser, x, sigma, text, edit) for text in texts]
                x0 = steer(sigma, x0, positive, predictions)
        return x0
