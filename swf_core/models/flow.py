"""Rectified flow in sigma space: its time, its table of noise levels, and x0 from a velocity.

A flow's latent is x_t = (1 - t) x0 + t eps (arXiv 2209.03003): a sigma-space latent x0 + sigma * eps divided by
1 + sigma, with sigma = t / (1 - t). A DDIM step with eta 0 in sigma space is exactly an Euler step of the flow: both
lay x0 and eps, as predicted here, together anew. So one sampler serves both kinds of model.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..errors import UserError

# The noisiest t of a table, sigma 199. At t = 1 sigma is infinite, and near it float32 loses digits of x0: one step
# from sigma 1999 is wrong by 1e-4, from 199 by 1e-5. Half a percent of x0 is little beside the 7 % of SD1.5's last.
LAST_TIME = 0.995


def flow_time(sigma: float) -> float:
    """t in 0..1 of a noise level sigma >= 0."""
    return float(sigma) / (1.0 + float(sigma))


def flow_sigma(t: float) -> float:
    """The noise level of t, 0 <= t < 1. Raises ValueError (UserError) at 1, where it is infinite."""
    if not 0.0 <= t < 1.0:
        raise UserError(f"A flow's time is {t}; it must be at least 0 and below 1, where there is nothing but noise.")
    return float(t) / (1.0 - float(t))


def flow_input(x: Tensor, sigma: float) -> Tensor:
    """What a flow network reads, x_t, of a sigma-space latent."""
    return x / (1.0 + float(sigma))


def x0_from_velocity(x_t: Tensor, sigma: float, velocity: Tensor) -> Tensor:
    """x0 = x_t - t v, for v = eps - x0."""
    return x_t - flow_time(sigma) * velocity


def flow_sigmas(shift: float = 1.0, steps: int = 1000) -> Tensor:
    """A table of noise levels [steps], ascending, float64: evenly in u, as far as t reaches `LAST_TIME`.

    t = shift u / (1 + (shift - 1) u): Stable Diffusion 3's shift for larger pictures (arXiv 2403.03206, eq. 23).
    """
    if not shift > 0.0:
        raise UserError(f"shift is {shift}; it must be above 0 (1 is none, Stable Diffusion 3 has 3).")
    last = LAST_TIME / (shift - (shift - 1.0) * LAST_TIME)
    u = last * (torch.arange(steps, dtype=torch.float64) + 1.0) / steps
    t = shift * u / (1.0 + (shift - 1.0) * u)
    return t / (1.0 - t)
