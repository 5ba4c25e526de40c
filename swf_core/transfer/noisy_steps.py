"""Sampling rules that add fresh noise at every step, as weights that were distilled for few steps need them.

    x_down = x0 + down * (x - x0) / here
    x_next = x_down + sqrt(next^2 - down^2) * noise

in sigma space: the prediction is followed from `here` to `down`, and noise takes it up to the next level. The rules
differ in how far down that is:

* lcm: 0. Multistep consistency sampling (arXiv 2310.04378, algorithm 3). Its boundary condition keeps the share c_skip
  of the latent, 7e-6 or less at the levels it was distilled at.
* euler_ancestral: next^2 / here, what a step of the stochastic process goes down (k-diffusion); SDXL-Turbo's rule.
* tcd: the timestep (1 - gamma) * t_next (arXiv 2402.19159, strategic stochastic sampling), gamma 0.3 as in diffusers.
  It ends at t = 0, not at sigma 0.

At down = next there is no noise, and the step is DDIM's (eta 0).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Tensor

from ..models.preconditioning import nearest_timestep
from .sigmas import vp_scale

NOISY_SOLVERS = ("lcm", "tcd", "euler_ancestral")
TCD_GAMMA = 0.3
# Of LCM's boundary condition: the deviation of the data, and what timesteps are multiplied by.
SIGMA_DATA, TIMESTEP_SCALING = 0.5, 10.0


@dataclass(frozen=True, eq=False)
class NoisySteps:
    """The steps of one sampling: to which level each goes down, and the share of the latent it keeps (LCM's c_skip).

    `noise`: unit Gaussian noise like the latent [B, C, h, w] for step 0, 1, ..; asked for where a step adds any.
    """

    down: Sequence[float]
    skip: Sequence[float]
    noise: Callable[[int], Tensor]

    def step(self, index: int, x: Tensor, x0: Tensor, here: float, there: float) -> Tensor:
        """The latent at `there`, from x [B, C, h, w] at `here` and its predicted x0."""
        down, skip = self.down[index], self.skip[index]
        if skip > 0.0:
            x0 = math.sqrt(1.0 - skip) * x0 + (skip / vp_scale(here)) * x
        x = x0 if down == 0.0 else x0 + (down / here) * (x - x0)
        added = math.sqrt(max(0.0, there * there - down * down))
        return x + added * self.noise(index).to(x) if added > 0.0 else x


def noisy_steps(
    solver: str, table: Tensor, levels: Sequence[float], noise: Callable[[int], Tensor]
) -> NoisySteps | None:
    """The steps of a solver down the falling `levels` to `end_of(solver, table)`; None where it adds no noise."""
    if solver not in NOISY_SOLVERS:
        return None
    targets = [*levels[1:], end_of(solver, table)]
    times = [nearest_timestep(table.log(), level) for level in levels]
    skip = [0.0] * len(levels)
    if solver == "lcm":
        down = [0.0] * len(levels)
        skip = [SIGMA_DATA**2 / ((TIMESTEP_SCALING * t) ** 2 + SIGMA_DATA**2) for t in times]
    elif solver == "euler_ancestral":
        down = [there * there / here for here, there in zip(levels, targets)]
    else:
        down = [float(table[int((1.0 - TCD_GAMMA) * t)]) for t in [*times[1:], 0]]
    return NoisySteps(down, skip, noise)


def end_of(solver: str, table: Tensor) -> float:
    """The level at which a solver's last step ends."""
    return float(table[0]) if solver == "tcd" else 0.0
