"""Color calibration: late in the schedule the predicted clean latent takes the style's channel statistics.

    x0 <- x0 + a * (AdaIN(x0, S) - x0)

S is the style's clean latent. Visual Style Prompting (arXiv 2402.12974) does so at 150 > t > 100, StyleKeeper in the
middle of the schedule; Cross-Image Attention (arXiv 2311.03335) does the same to the noisy latent. It evaluates
nothing (0 E).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Tensor

from ..errors import UserError


@dataclass(frozen=True)
class Calibration:
    """How far and when x0 takes the style's channel statistics.

    * amount: 0..1, a above; 0 is off.
    * start, end: 0..1, the shares of the schedule between which it does, ends included; 0 is its noisy end.

    Raises ValueError (UserError) when a value is outside its range.
    """

    amount: float = 0.0
    start: float = 0.0
    end: float = 1.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.amount <= 1.0:
            raise UserError(f"The calibration's amount is {self.amount}; it must be between 0 (off) and 1.")
        if not 0.0 <= self.start <= self.end <= 1.0:
            raise UserError(f"The calibration goes from {self.start} to {self.end}; give 0 <= start <= end <= 1.")

    def amount_at(self, progress: float) -> float:
        """a at `progress`, 0 at the first step of the schedule and 1 at the last (`sigmas.travelled`)."""
        return self.amount if self.start <= progress <= self.end else 0.0


@dataclass(frozen=True, eq=False)
class ColorCalibration:
    """Color calibration of one sampling, a `Steering`.

    `toned`: moves clean latents [B, C, h, w] by an amount 0..1 to the styles' statistics. `progress`: how far a noise
    level lies in the schedule, 0..1.
    """

    calibration: Calibration
    toned: Callable[[Tensor, float], Tensor]
    progress: Callable[[float], float]

    @property
    def prompts(self) -> Sequence[str]:
        """None: no text is evaluated."""
        return ()

    def active(self, sigma: float) -> bool:
        """Whether anything is calibrated at this noise level."""
        return self.calibration.amount_at(self.progress(sigma)) > 0.0

    def begin(self) -> Callable[[float, Tensor, Tensor, Sequence[Tensor]], Tensor]:
        """The function of one sampling: (sigma, x0 [B, C, h, w], ...) -> x0 with the styles' tones."""

        def steer(sigma: float, x0: Tensor, positive: Tensor, predictions: Sequence[Tensor]) -> Tensor:
            return self.toned(x0, self.calibration.amount)

        return steer
