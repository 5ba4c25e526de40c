"""Second-order steps of rectified flow between noise levels, up (inversion) and down (sampling) alike.

A sigma-space latent x = x0 + sigma * eps is the flow's y = (1 - t) x0 + t eps in another scale: y = x / (1 + sigma),
t = sigma / (1 + sigma), and its velocity is v = eps - x0. So every model that predicts x0 is a flow. An Euler step of
the flow is DDIM's (eta 0) to the letter; what differs is where the middle of a step lies, and the order:

* midpoint: m = v(y + h/2 * v(y, t), t + h/2), y' = y + h * m. Second order, two evaluations a step. RF-Solver's
  second-order step (arXiv 2411.04746) is the same method: h v + h^2/2 * (m - v) / (h/2) = h m.
* fireflow: the same with v(y, t) replaced by the m of the step before (FireFlow, arXiv 2412.07517). Second order too,
  one evaluation a step and one for the first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from torch import Tensor

FLOW_STEPS = ("midpoint", "fireflow")

# Called with a sigma-space latent [B, C, h, w] and its sigma: -> the flow's velocity eps - x0 there, alike.
Velocity = Callable[[Tensor, float], Tensor]


def half_way(here: float, there: float) -> float:
    """The sigma in the middle of a step of the flow: where t is the mean of both ends'. The same in both directions."""
    t = 0.5 * (here / (1.0 + here) + there / (1.0 + there))
    return t / (1.0 - t)


def moved(x: Tensor, velocity: Tensor, here: float, there: float) -> Tensor:
    """The sigma-space latent at `there` of y + h * v, from x [B, C, h, w] at `here`."""
    return ((1.0 + there) / (1.0 + here)) * x + ((there - here) / (1.0 + here)) * velocity


def walk(kind: str, velocity: Velocity, x: Tensor, grid: Sequence[float]) -> Iterator[tuple[float, Tensor, Tensor]]:
    """From x [B, C, h, w] at grid[0] to each further level: yields (middle, the latent there, the latent at the level).

    `kind`: one of `FLOW_STEPS`. `grid`: sigmas, rising or falling, of which 0 may be one end. The latent in the middle
    is the one that was evaluated there; it lies on the path within the error of the step.
    """
    last: Tensor | None = None
    for here, there in zip(grid, grid[1:]):
        first = velocity(x, here) if last is None or kind == "midpoint" else last
        middle = half_way(here, there)
        between = moved(x, first, here, middle)
        last = velocity(between, middle)
        x = moved(x, last, here, there)
        yield middle, between, x


def walked(kind: str, grid: Sequence[float]) -> list[float]:
    """Sigmas at which `walk` asks for a velocity, in its order: 2 a step by midpoint, 1 and one more by fireflow."""
    asked: list[float] = []
    for index, (here, there) in enumerate(zip(grid, grid[1:])):
        asked += [here] if index == 0 or kind == "midpoint" else []
        asked.append(half_way(here, there))
    return asked
