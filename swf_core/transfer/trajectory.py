"""A picture's latents along the noise levels, and how they are had: by inversion, by added noise, or from a sample."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from torch import Tensor

from .flow_steps import FLOW_STEPS, walked

ENCODINGS = ("ddim", "stochastic", "bdia", *FLOW_STEPS, "rf_controller", "fixed_point")
# Fixed-point iterations of a step of "fixed_point" if nobody says: 5e-7 from exact on a toy flow in 32 steps.
ITERATIONS = 5
# Those whose noise is drawn anew by every seed.
NOISY_ENCODINGS = ("stochastic", "rf_controller")

# Called with x, sigma, and whether x is the trajectory's own point there (so that its features may be kept): -> x0.
Evaluate = Callable[[Tensor, float, bool], Tensor]


@dataclass(frozen=True)
class Encoding:
    """How the noisy latents of a clean one are had: `kind` is one of `ENCODINGS`.

    * ddim, bdia: first-order inversion, and an exact one (`inversion`); stochastic: added noise.
    * midpoint, fireflow: second-order inversion of the flow (`flow_steps`); rf_controller: inversion steered to fresh
      noise (`flow_inversion.invert_controlled`).
    * fixed_point: the exact inverse of Euler's steps down, by `refinements` iterations each, 0 for `ITERATIONS`
      (`flow_inversion.invert_fixed_point`).
    * `refinements`, `forward_first`: of DDIM inversion (`invert_ddim`). `seed`: of the noise that "stochastic",
      "rf_controller" and `forward_first` add, for a caller who draws it by a seed.
    """

    kind: str = "ddim"
    refinements: int = 0
    forward_first: int = 0
    seed: int = 0

    @property
    def draws_noise(self) -> bool:
        """Whether `seed` decides anything."""
        return self.kind in NOISY_ENCODINGS or self.forward_steps(1) > 0

    @property
    def iterations(self) -> int:
        """Evaluations that a step is refined by."""
        if self.kind == "fixed_point":
            return self.refinements or ITERATIONS
        return self.refinements if self.kind == "ddim" else 0

    def forward_steps(self, steps: int) -> int:
        """How many of `steps` levels are noised forward instead of inverted to."""
        return min(self.forward_first, steps) if self.kind == "ddim" else 0

    def evaluations(self, steps: int) -> int:
        """How often `invert` evaluates the model over `steps` levels."""
        if self.kind == "stochastic":
            return 0
        if self.kind in FLOW_STEPS:
            return 2 * steps if self.kind == "midpoint" else steps + 1
        return (steps - self.forward_steps(steps)) * (1 + self.iterations)

    def own_levels(self, levels: Sequence[float], clean_at: float = 0.0) -> list[float]:
        """The levels above 0 at which `invert` over the rising `levels` evaluates the trajectory's own point."""
        if self.kind == "stochastic":
            return []
        if self.kind in FLOW_STEPS:  # at and between the levels; between 0 and the first, none
            return [sigma for sigma in walked(self.kind, [0.0, *levels]) if sigma >= levels[0]]
        grid = [clean_at, *levels]
        return [level for level in grid[self.forward_steps(len(levels)) : len(levels)] if level > 0.0]


@dataclass
class Trajectory:
    """The latents of one picture (or a batch of equal size) along the noise levels.

    `clean`: x0. `points`: the latents known exactly, by sigma. `noise`: for stochastic encoding the one eps all levels
    share. `statistics_noise`: for a free sample, whose own noisy latents say nothing of its colors, the eps with
    which its result is encoded when channel statistics are asked for.
    """

    clean: Tensor
    points: dict[float, Tensor] = field(default_factory=dict)
    noise: Tensor | None = None
    statistics_noise: Tensor | None = None

    def at(self, sigma: float) -> Tensor:
        """The latent at any sigma >= 0, float32 (as stored, which is float64 for BDIA, at a stored level).

        A stored level is returned as it is. Between two, the noise direction (x - x0) / sigma is interpolated in
        log sigma; beyond the ends it is held.
        """
        if sigma in self.points:
            return self.points[sigma]
        if sigma <= 0.0:
            return self.clean.float()
        if self.noise is not None:
            return self.clean + sigma * self.noise
        known = sorted(level for level in self.points if level > 0.0)
        if not known:
            raise ValueError("The trajectory holds no latent above sigma 0.")
        below = max((level for level in known if level < sigma), default=known[0])
        above = min((level for level in known if level > sigma), default=known[-1])
        share = 0.0 if below == above else math.log(sigma / below) / math.log(above / below)
        low, high = ((self.points[level].double() - self.clean) / level for level in (below, above))
        return (self.clean + sigma * (low + share * (high - low))).float()

    def split(self, counts: Sequence[int]) -> list[Trajectory]:
        """The trajectories of its first counts[0] pictures, of the next counts[1], and so on."""

        def parts(latent: Tensor | None) -> list[Tensor | None]:
            return [None] * len(counts) if latent is None else list(latent.split(list(counts)))

        points = {sigma: parts(latent) for sigma, latent in self.points.items()}
        noises, of_statistics = parts(self.noise), parts(self.statistics_noise)
        return [
            Trajectory(clean, {sigma: p[i] for sigma, p in points.items()}, noises[i], of_statistics[i])  # type: ignore[misc]
            for i, clean in enumerate(self.clean.split(list(counts)))
        ]

    def for_statistics(self, sigma: float) -> Tensor:
        """The latent whose channel statistics stand for this picture's tones at `sigma`."""
        if self.statistics_noise is not None:
            return self.clean + sigma * self.statistics_noise
        return self.at(sigma)
