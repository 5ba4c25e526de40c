"""RF-Inversion's controller on the way down: the predicted clean latent is drawn to the content's while it begins.

    v' = (1 - eta) v + eta * (y - y0) / t

(arXiv 2410.10792, eq. 15, with t counted from the clean picture) in a flow's scale. As y - x0 = t v, that is the step
under x0' = (1 - eta) x0 + eta * y0, in any scale and on any model: a filter on x0, which evaluates nothing (0 E).
Departs from the paper: y0 has the style's tones as far as the start has them (`TransferOptions.adain`); at 0 it is the
content itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import UserError

FADES = ("constant", "rising", "falling")


@dataclass(frozen=True)
class Controller:
    """How far, and in which part of the schedule, generation is drawn to the content.

    * eta: 0..1; 0 is off, 0.8 is published, 1 at all steps is the content.
    * start, end: 0..1, shares of the schedule from its noisy end; published are the first 6 of 28 steps.
    * fade: "constant", or "rising" from 0 to eta or "falling" from eta to 0 between them.

    Raises ValueError (UserError) when a value is outside its range.
    """

    eta: float = 0.0
    start: float = 0.0
    end: float = 0.2
    fade: str = "constant"

    def __post_init__(self) -> None:
        if not 0.0 <= self.eta <= 1.0:
            raise UserError(f"The controller's eta is {self.eta}; it must be between 0 (off) and 1.")
        if not 0.0 <= self.start < self.end <= 1.0:
            raise UserError(
                f"The controller acts from {self.start} to {self.end} of the schedule; give 0 <= start < end <= 1."
            )
        if self.fade not in FADES:
            raise UserError(f"The controller's fade is {self.fade!r}; use one of {', '.join(FADES)}.")

    def eta_at(self, progress: float) -> float:
        """eta at `progress`, 0 at the first step of the schedule and 1 at the last (`sigmas.travelled`)."""
        if not self.start <= progress <= self.end:
            return 0.0
        along = (progress - self.start) / (self.end - self.start)
        return self.eta * {"constant": 1.0, "rising": along, "falling": 1.0 - along}[self.fade]


@dataclass(frozen=True, eq=False)
class ContentControl:
    """The controller of one sampling, a `Steering`.

    `target`: gives the latents [B, C, h, w] to be drawn to, asked once when they are first needed. `progress`: how far
    a noise level lies in the schedule, 0..1.
    """

    controller: Controller
    target: Callable[[], Tensor]
    progress: Callable[[float], float]

    @property
    def prompts(self) -> Sequence[str]:
        """None: no text is evaluated."""
        return ()

    def active(self, sigma: float) -> bool:
        """Whether anything is drawn at this noise level."""
        return self.controller.eta_at(self.progress(sigma)) > 0.0

    def begin(self) -> Callable[[float, Tensor, Tensor, Sequence[Tensor]], Tensor]:
        """The function of one sampling: (sigma, x0 [B, C, h, w], ...) -> x0, drawn to the target."""
        target: Tensor | None = None

        def steer(sigma: float, x0: Tensor, positive: Tensor, predictions: Sequence[Tensor]) -> Tensor:
            nonlocal target
            if target is None:
                target = self.target().to(x0)
            return torch.lerp(x0, target.expand_as(x0), self.controller.eta_at(self.progress(sigma)))

        return steer
