"""Inversion by rectified flow: second-order or exact steps up the noise levels, and RF-Inversion's controller.

Latents are [B, C, h, w] in sigma space (`flow_steps` says how they are a flow's); on a model of rectified flow these
are the published inversions, on any other the same equations of its probability flow.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from .flow_steps import moved, walk
from .trajectory import Evaluate, Trajectory

# The published strength of RF-Inversion's controller while a picture is inverted.
CONTROLLER_GAMMA = 0.5


def invert_flow(
    kind: str, evaluate: Evaluate, clean: Tensor, levels: Sequence[float], *, smallest: float
) -> Trajectory:
    """Inversion of clean latents up the rising `levels` (without 0) by one of `flow_steps.FLOW_STEPS`.

    The velocity at sigma 0 is asked for at the table's `smallest`, where it is defined. The latents in the middle of
    the steps are points of the trajectory too, for a sampler of the same kind asks there; but for the first, which may
    lie below the table. Evaluations: see `Encoding.evaluations`. The result is float32, float64 of float64.
    """

    def velocity(x: Tensor, sigma: float) -> Tensor:
        return _velocity(evaluate, x, sigma, smallest, sigma >= levels[0])

    start = _copied(clean)
    points = {0.0: start}
    for level, (middle, between, x) in zip(levels, walk(kind, velocity, start, [0.0, *levels])):
        if middle > levels[0]:
            points[middle] = between
        points[level] = x
    return Trajectory(clean, points)


def invert_fixed_point(
    evaluate: Evaluate, clean: Tensor, levels: Sequence[float], *, smallest: float, iterations: int
) -> Trajectory:
    """The exact inverse of Euler's steps down the `levels`, for as many `iterations` as it takes (exact Euler).

    Each step solves y_b = y_a + (b - a) * v(y_b, b) for the noisier y_b by iterating it from Euler's step up, in the
    flow's scale: there the difference to the solution shrinks by (b - a) times v's Lipschitz constant, which must be
    below 1. In sigma space (`invert_ddim`'s refinements) the same equation converges slowly where sigma is large.
    Evaluations: len(levels) * (1 + iterations).
    """
    grid, x = [0.0, *levels], _copied(clean)
    points = {0.0: x}
    for here, there in zip(grid, grid[1:]):
        start, v = x, _velocity(evaluate, x, here, smallest, here > 0.0)
        for _ in range(iterations):
            v = _velocity(evaluate, moved(start, v, here, there), there, smallest, False)
        points[there] = x = moved(start, v, here, there)
    return Trajectory(clean, points)


def invert_controlled(
    evaluate: Evaluate,
    clean: Tensor,
    levels: Sequence[float],
    *,
    noise: Tensor,
    smallest: float,
    gamma: float = CONTROLLER_GAMMA,
) -> Trajectory:
    """Inversion steered to a fixed unit Gaussian `noise` (RF-Inversion, arXiv 2410.10792), by Euler's steps.

    u = v + gamma * ((noise - y) / (1 - t) - v), gamma in 0..1. In sigma space, where (noise - y) / (1 - t) is
    (1 + sigma) * noise - x as v is (1 + sigma) * eps - x, that is the step along (1 - gamma) * eps + gamma * noise:
    gamma 1 is the straight line x0 + sigma * noise, which costs the evaluations nevertheless, and 0 DDIM inversion.
    Evaluations: len(levels).
    """
    grid, x = [0.0, *levels], _copied(clean)
    points = {0.0: x}
    for here, there in zip(grid, grid[1:]):
        level = here if here > 0.0 else smallest
        eps = (x - evaluate(x, level, here > 0.0)) / level
        x = x + (there - here) * (eps + gamma * (noise - eps))
        points[there] = x
    return Trajectory(clean, points)


def _velocity(evaluate: Evaluate, x: Tensor, sigma: float, smallest: float, own_point: bool) -> Tensor:
    """The flow's velocity at x [B, C, h, w], eps - x0."""
    if sigma == 0.0:  # x is the clean latent, so eps is all that is asked for
        return (x - evaluate(x, smallest, False)) / smallest - x
    x0 = evaluate(x, sigma, own_point)
    return (x - x0) / sigma - x0


def _copied(x: Tensor) -> Tensor:
    """At least float32, and in memory of its own: trajectories are saved, whose format shares none."""
    return x.to(torch.promote_types(x.dtype, torch.float32), copy=True)
