"""Layout guidance: the content's low frequencies guide the predicted clean latent, and the network paints the rest.

    target = AdaIN(C, styles, a)
    x0 <- x0 + w * G_cut(target - x0)      down to the noise level where it ends

C and the styles are clean latents, G_cut is a Gaussian low-pass. The same idea as ILVR's low-pass conditioning
(arXiv 2108.02938), which moves the noisy latent to the content's own low frequencies; differs from it: x0 is
moved, towards a content that already has the style's tones. A filter on x0: it evaluates nothing (0 E).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import UserError
from .low_pass import low_pass


@dataclass(frozen=True)
class Layout:
    """How far and how long the content's layout guides.

    * weight: 0..1, w above; 0 is off, 1 takes the low frequencies over.
    * cut: > 0, where the low-pass lets 0.61 through, in cycles per long side of the latent: 4 keeps shapes of an eighth
      of it; inf guides every detail.
    * end: 0..1, above 0: the share of the schedule, from its noisy end, that is guided; below it the network is free.

    Raises ValueError (UserError) when a value is outside its range.
    """

    weight: float = 0.0
    cut: float = 4.0
    end: float = 0.5

    def __post_init__(self) -> None:
        if not 0.0 <= self.weight <= 1.0:
            raise UserError(f"The layout's weight is {self.weight}; it must be between 0 (off) and 1.")
        if not self.cut > 0.0:
            raise UserError(f"The layout's cut is {self.cut}; it must be above 0 cycles per long side (4 suits mini).")
        if not 0.0 < self.end <= 1.0:
            raise UserError(f"The layout's end is {self.end}; it must be above 0 and at most 1, the whole schedule.")

    def weight_at(self, progress: float) -> float:
        """w at `progress`, 0 at the first step of the schedule and 1 at the last (`sigmas.travelled`)."""
        return self.weight if progress <= self.end else 0.0


@dataclass(frozen=True, eq=False)
class LayoutGuidance:
    """Layout guidance of one sampling, a `Steering`.

    `target`: gives the latents [B, C, h, w] to be guided to, asked once when they are first needed. `progress`: how far
    a noise level lies in the schedule, 0..1.
    """

    layout: Layout
    target: Callable[[], Tensor]
    progress: Callable[[float], float]

    @property
    def prompts(self) -> Sequence[str]:
        """None: no text is evaluated."""
        return ()

    def active(self, sigma: float) -> bool:
        """Whether anything is guided at this noise level."""
        return self.layout.weight_at(self.progress(sigma)) > 0.0

    def begin(self) -> Callable[[float, Tensor, Tensor, Sequence[Tensor]], Tensor]:
        """The function of one sampling: (sigma, x0 [B, C, h, w], ...) -> x0, guided."""
        target: Tensor | None = None

        def steer(sigma: float, x0: Tensor, positive: Tensor, predictions: Sequence[Tensor]) -> Tensor:
            nonlocal target
            if target is None:
                target = self.target().to(x0)
            return guided(x0, target, self.layout.weight_at(self.progress(sigma)), self.layout.cut)

        return steer


def guided(x0: Tensor, target: Tensor, weight: float, cut: float) -> Tensor:
    """x0 + weight * G_cut(target - x0), for latents [B, C, h, w]; weight 1 and an infinite cut give the target."""
    if math.isinf(cut):
        return torch.lerp(x0, target.expand_as(x0), weight)
    return x0 + weight * low_pass(target - x0, cut)
