"""Noise levels: the model's table, the schedules cut from it, and conversions.

`x = x0 + sigma * eps` (sigma space) and the variance-preserving `z = sqrt(abar) * x0 + sqrt(1 - abar) * eps` of the
papers are one thing in two scales: `z = x / sqrt(sigma^2 + 1)`, `sigma = sqrt((1 - abar) / abar)`. In sigma space a
DDIM step with eta 0 (arXiv 2010.02502, eq. 12) is one Euler step, `x + (sigma_next - sigma) * (x - x0) / sigma`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import UserError
from ..models.preconditioning import nearest_timestep

SPACINGS = ("leading", "trailing", "karras", "lcm", "hyper")
# The levels that latent consistency models were distilled at, and where the one-step network of Hyper-SD begins.
LCM_LEVELS, HYPER_ONE_STEP = 50, 800


@dataclass(frozen=True)
class Levels:
    """The noise levels of a run, all falling.

    * full: the whole schedule.
    * inverted: where pictures are inverted to; `clean_at`: the level below them that a clean latent is taken to be at.
    * start: where the sampler's start latents are read (one, or two for bdia), scaled by `start_scale`.
    * sampled: handed to the sampler; `read`: where it evaluates; `end`: where it stops.
    """

    full: list[float]
    inverted: list[float]
    start: list[float]
    sampled: list[float]
    read: list[float]
    clean_at: float = 0.0
    start_scale: float = 1.0
    end: float = 0.0


def vp_scale(sigma: float) -> float:
    """sqrt(sigma^2 + 1): sigma-space latent = this times the variance-preserving latent."""
    return math.sqrt(sigma * sigma + 1.0)


def schedule(table: Tensor, steps: int, spacing: str = "leading") -> list[float]:
    """`steps` noise levels, falling, without the final 0.

    * leading: t = 1 + i * (T // steps), DDIM's "uniform" as in Stable Diffusion and StyleID (1, 21, .., 981 for 50).
    * trailing: t = T - 1, T - 1 - T/steps, ... (arXiv 2305.08891, table 2), for few-step models.
    * lcm: of 50 trailing levels, which latent consistency models were distilled at (arXiv 2310.04378), `steps` evenly.
    * hyper: trailing, and t = 800 for one step, where Hyper-SD's one-step network begins (arXiv 2404.13686).
    * karras: rho 7 between the ends of the table (arXiv 2206.00364, eq. 5); sigmas lie between table entries.

    Raises ValueError for a step count outside 1..T-1 (and outside 1..T//2 for leading) or an unknown spacing.
    """
    length = len(table)
    if not 1 <= steps < length:
        raise UserError(f"steps is {steps}; it must be between 1 and {length - 1}.")
    if spacing == "leading":
        stride = length // steps
        offset = 1 if 1 + (steps - 1) * stride < length else 0
        indices = [offset + i * stride for i in range(steps)][::-1]
        return [float(table[i]) for i in indices]
    if spacing == "lcm":
        return lcm_schedule(table, steps)
    if spacing == "hyper" and steps == 1:
        return [float(table[length * HYPER_ONE_STEP // 1000])]
    if spacing in ("trailing", "hyper"):
        indices = [round(length - i * length / steps) - 1 for i in range(steps)]
        return [float(table[i]) for i in indices]
    if spacing == "karras":
        low, high = float(table[0]) ** (1 / 7), float(table[-1]) ** (1 / 7)
        ramp = [i / max(steps - 1, 1) for i in range(steps)]
        return [(high + r * (low - high)) ** 7 for r in ramp]
    raise UserError(f"Spacing {spacing!r} is unknown; use one of {', '.join(SPACINGS)}.")


def lcm_schedule(table: Tensor, steps: int, share: float = 1.0) -> list[float]:
    """`steps` of the quiet `share` (0..1) of LCM's own 50 levels, falling: begun by noise level, whatever the steps.

    As diffusers' LCMScheduler picks them. Raises ValueError (UserError) where there are fewer levels than steps.
    """
    stride, count = len(table) // LCM_LEVELS, int(LCM_LEVELS * share)
    if not 1 <= steps <= count:
        raise UserError(
            f"steps is {steps}, and LCM was distilled at {LCM_LEVELS} levels, of which a denoise of {share:g} runs "
            f"{count}; give 1 to {max(1, count)} steps, or more denoise."
        )
    return [float(table[(count - int(i * (count / steps))) * stride - 1]) for i in range(steps)]


def partial(levels: list[float], denoise: float) -> list[float]:
    """The last `denoise` (0 < denoise <= 1) of a falling schedule: at least one step, at most all of them."""
    if not 0.0 < denoise <= 1.0:
        raise UserError(f"denoise is {denoise}; it must be above 0 and at most 1.")
    steps = max(1, round(denoise * len(levels)))
    return levels[len(levels) - steps :]


def percent_to_sigma(table: Tensor, percent: float) -> float:
    """The sigma at `percent` of the way from pure noise (0) to the clean picture (1), in training steps t."""
    if percent <= 0.0:
        return math.inf
    if percent >= 1.0:
        return 0.0
    return float(table[round((1.0 - percent) * (len(table) - 1))])


def share_of_schedule(percent: float) -> float:
    """`percent_to_sigma` on Stable Diffusion's own table (scaled linear betas), which all families here were trained
    with: for presets, which know no model's table."""
    betas = torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float64) ** 2
    return percent_to_sigma((1.0 / torch.cumprod(1.0 - betas, 0) - 1.0).sqrt(), percent)


def travelled(table: Tensor, sigma: float, first: float, last: float) -> float:
    """How far `sigma` lies between `first` (0) and `last` (1), measured in t, so that it holds for any spacing."""
    t, t_first, t_last = (nearest_timestep(table.log(), level) for level in (sigma, first, last))
    if t_first == t_last:
        return 0.0
    return min(1.0, max(0.0, (t_first - t) / (t_first - t_last)))
