"""Inversion: from a clean latent up the noise levels, by DDIM, exactly by BDIA, as a flow, or by adding noise.

Levels are sigmas; latents are [B, C, h, w] in sigma space, where one DDIM step from s to t is x + (t - s) * e with
e = (x - x0) / s, and inverting is the same step taken upwards.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import Tensor

from ..errors import UserError
from .flow_inversion import invert_controlled, invert_fixed_point, invert_flow
from .flow_steps import FLOW_STEPS
from .trajectory import ENCODINGS, Encoding, Evaluate, Trajectory


def invert(
    encoding: Encoding,
    evaluate: Evaluate,
    clean: Tensor,
    levels: Sequence[float],
    *,
    noise: Tensor,
    smallest: float,
    clean_at: float = 0.0,
) -> Trajectory:
    """The trajectory of clean latents [B, C, h, w] over the rising `levels` (without 0), by the way `encoding` names.

    `noise`: unit Gaussian, like `clean`. `smallest`: the smallest sigma of the model's table, where the clean latent is
    evaluated. `clean_at`: the level that a DDIM inversion takes the clean latent to be at.
    Raises ValueError (UserError) for an unknown kind.
    """
    if encoding.kind == "stochastic":
        return encode_stochastic(clean, noise)
    if encoding.kind == "bdia":
        return invert_bdia(evaluate, clean, levels, smallest=smallest)
    if encoding.kind in FLOW_STEPS:
        return invert_flow(encoding.kind, evaluate, clean, levels, smallest=smallest)
    if encoding.kind == "fixed_point":
        return invert_fixed_point(evaluate, clean, levels, smallest=smallest, iterations=encoding.iterations)
    if encoding.kind == "rf_controller":
        return invert_controlled(evaluate, clean, levels, noise=noise, smallest=smallest)
    if encoding.kind != "ddim":
        raise UserError(f"The encoding {encoding.kind!r} is unknown; use one of {', '.join(ENCODINGS)}.")
    return invert_ddim(
        evaluate,
        clean,
        levels,
        smallest=smallest,
        refinements=encoding.refinements,
        forward_first=encoding.forward_first,
        noise=noise,
        clean_at=clean_at,
    )


def encode_stochastic(clean: Tensor, noise: Tensor) -> Trajectory:
    """x = x0 + sigma * eps with one fixed eps (VSP, StyleKeeper); costs no evaluation.

    Differs from VSP, which draws eps anew at every step: with one eps the process is one picture's, not many's.
    """
    return Trajectory(clean, {0.0: clean}, noise=noise)


def invert_ddim(
    evaluate: Evaluate,
    clean: Tensor,
    levels: Sequence[float],
    *,
    smallest: float,
    refinements: int = 0,
    forward_first: int = 0,
    noise: Tensor | None = None,
    clean_at: float = 0.0,
) -> Trajectory:
    """DDIM inversion up the rising `levels` (without 0).

    * e is evaluated at the current level, as StyleID does; at sigma 0 at the table's `smallest`, where it is defined.
    * refinements: fixed-point iterations per step, x_t <- x_s + (t - s) * e(x_t, t), which tend to the exact inverse
      of the sampler's step (ReNoise, arXiv 2403.14602, without averaging). Each costs one evaluation per step. On
      flows, whose noisiest steps are long in sigma, `invert_fixed_point` comes nearer for the same.
    * forward_first: the first k steps are replaced by x0 + sigma * noise, against correlated latents in smooth regions
      ("There and Back Again", arXiv 2410.23530). They cost nothing.
    * clean_at: the level below `levels` that the clean latent is taken to be at already, in the papers' scale (StyleID
      does so, see `styleid.py`).

    Evaluations: (steps - forward_first) * (1 + refinements), steps = len(levels).
    """
    if refinements < 0 or forward_first < 0:
        raise UserError("refinements and forward_first count steps; give 0 or more.")
    grid = [clean_at, *levels]
    x = clean.float() * math.sqrt(clean_at**2 + 1.0)
    points = {grid[0]: x}
    for index, (here, there) in enumerate(zip(grid, grid[1:])):
        if index < forward_first:
            if noise is None:
                raise ValueError("forward_first needs noise.")
            x = clean + there * noise
        else:
            start, level = x, here if here > 0.0 else smallest
            x = start + (there - here) * (start - evaluate(start, level, here > 0.0)) / level
            for _ in range(refinements):
                x = start + (there - here) * (x - evaluate(x, there, False)) / there
        points[there] = x
    return Trajectory(clean, points)


def invert_bdia(evaluate: Evaluate, clean: Tensor, levels: Sequence[float], *, smallest: float) -> Trajectory:
    """Exact inversion: BDIA (arXiv 2307.10829) with gamma 1, up the rising `levels`; len(levels) evaluations.

    z_{i+1} = z_{i-1} + D(i -> i+1) - D(i -> i-1) after one DDIM step, D(i -> j) being the DDIM step from z_i to level j
    in the papers' scale z = x / sqrt(sigma^2 + 1). `replay_bdia` undoes it from the last two latents. In sigma space
    the same rule is the leapfrog, exact too, but it multiplies small differences at every noisy step.

    Chosen over edit-friendly DDPM because it is deterministic, stores no noise maps, costs one evaluation per step, and
    its latents lie near DDIM's, so that their queries mean the same. gamma 1, since smaller ones multiply rounding
    errors by 1/gamma each step; the state is float64 for the same reason.
    """
    grid = [0.0, *levels]
    before, here = clean.double(), clean.double()
    points = {0.0: here}
    for index, (s, t) in enumerate(zip(grid, grid[1:])):
        level = s if s > 0.0 else smallest
        x0 = evaluate(here.float(), level, s > 0.0).double()
        if index == 0:
            before, here = here, here + t * (here - x0) / level
        else:
            before, here = here, bdia_step(before, here, x0, grid[index - 1], s, t)
        points[t] = here
    return Trajectory(clean, points)


def replay_bdia(evaluate: Evaluate, trajectory: Trajectory, levels: Sequence[float]) -> Tensor:
    """x0 (float64) from the last two latents of `invert_bdia` over the same `levels`; len(levels) - 1 evaluations."""
    grid = [0.0, *levels]
    above, here = trajectory.points[grid[-1]].double(), trajectory.points[grid[-2]].double()
    for index in range(len(grid) - 2, 0, -1):
        x0 = evaluate(here.float(), grid[index], True).double()
        above, here = here, bdia_step(above, here, x0, grid[index + 1], grid[index], grid[index - 1])
    return here


def bdia_step(before: Tensor, here: Tensor, x0: Tensor, s_before: float, s_here: float, s_next: float) -> Tensor:
    """The latent at `s_next`, from those at `s_before` and `s_here` and x0 predicted at the latter. Its own inverse:
    swapping before and next undoes it. Sigma-space latents, float64."""
    e = (here - x0) / s_here
    a_before, a_next = (s_before**2 + 1.0) ** -0.5, (s_next**2 + 1.0) ** -0.5
    return (a_before * before + a_next * (x0 + s_next * e) - a_before * (x0 + s_before * e)) / a_next
