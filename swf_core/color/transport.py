"""From one palette to another: entropic optimal transport between their colors, and the smooth move of all others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..errors import UserError
from .palette import Palette, nearest_centre, sampled_pixels, summary
from .spaces import edit_colors

# Colors of the picture that find their places on their own: more than a palette has, so that shades can part.
FINE = 16
# Regularisation of the plan, squared OKLab distance: colors closer than its root count as one.
EPSILON = 1.5e-3
# How loosely a palette without shares is held to equal ones (Chizat et al. 2018): a color may take from a fifth to
# five times its share before that costs as much as moving by 0.1.
LOOSE = 6e-3
# What a difference in lightness counts beside one in hue: a dark red is a red.
LIGHT_COUNTS = 0.5
RIDGE = 3e-4
# Potentials, in units of epsilon, that moved less in a round have settled.
SETTLED = 1e-4
# A centre's influence, in distances between centres, and at least, in OKLab. For a new palette wide: less parts smooth
# fur into islands. For edits narrow: what stays should stay.
WIDE, NARROW = (1.6, 0.096), (1.2, 0.024)


def plan(source: Palette, target: Palette, epsilon: float = EPSILON, rounds: int = 200) -> Tensor:
    """The plan [k source, k target] by Sinkhorn's iterations in the log domain, cost |p - q|^2 (Cuturi 2013),
    lightness counting half.

    Rows sum to the source's shares. Columns sum to the target's where it has them; else they are free within reason:
    unbalanced transport with a Kullback-Leibler term towards equal shares.
    """
    scale = torch.tensor([LIGHT_COUNTS, 1.0, 1.0], dtype=torch.float64)
    cost = torch.cdist(source.colors.double() * scale, target.colors.double() * scale).square().numpy() / epsilon
    rows, columns = (np.log(np.maximum(p.weights().double().numpy(), 1e-300)) for p in (source, target))
    hold = 1.0 if target.shares is not None else LOOSE / (LOOSE + epsilon)
    f, g = np.zeros_like(rows), np.zeros_like(columns)
    # numpy: a handful of numbers, and twice as many calls as rounds
    for _ in range(rounds):
        before = g
        g = -hold * _log_sum_exp((f + rows)[:, None] - cost, 0)
        f = -_log_sum_exp((g + columns)[None] - cost, 1)
        if np.abs(g - before).max() < SETTLED:
            break
    return torch.from_numpy(np.exp((f + rows)[:, None] + (g + columns)[None] - cost)).float()


def _log_sum_exp(x: np.ndarray, axis: int) -> np.ndarray:
    top = x.max(axis, keepdims=True)
    return np.log(np.exp(x - top).sum(axis)) + top.squeeze(axis)


def goals(source: Palette, target: Palette, epsilon: float = EPSILON) -> Tensor:
    """Where each source color goes [k, 3]: the mean of the target colors by its row of the plan."""
    odds = plan(source, target, epsilon)
    return (odds @ target.colors.float()) / odds.sum(1, keepdim=True).clamp_min(1e-12)


@dataclass(frozen=True)
class Shift:
    """A smooth map of OKLab: each color moves by its neighbours' moves. `centres` [k, 3], `moves` [k, 3], `width`:
    the distance at which a centre's influence has fallen to 1/e^2."""

    centres: Tensor
    moves: Tensor
    width: float

    def weights(self, colors: Tensor) -> Tensor:
        """How much each centre counts for each of `colors` [3, n]: [k, n], columns sum to 1."""
        nearness = self._nearness(colors)
        return nearness / nearness.sum(0)

    def _nearness(self, colors: Tensor) -> Tensor:
        # -|x - c|^2 without |x|^2, which is the same for all centres; the greatest is taken off, as in any softmax
        scale = 2.0 / self.width**2
        nearness = torch.addmm(
            -scale * self.centres.square().sum(1, keepdim=True), self.centres, colors, alpha=2.0 * scale
        )
        return nearness.sub_(nearness.amax(0)).clamp_min_(-40.0).exp_()  # below that: numbers too small to compute fast

    def __call__(self, colors: Tensor) -> Tensor:
        """OKLab planes [3, n] moved."""
        nearness = self._nearness(colors)
        return colors + (self.moves.T @ nearness).div_(nearness.sum(0))


def shift_by(source: Palette, by: Tensor, points: Tensor, weights: Tensor, width: tuple[float, float] = WIDE) -> Shift:
    """The smooth map that moves the mean of each source color's pixels by `by` [k, 3].

    Weights of neighbours overlap, so moving every centre by its own way would stop short; the moves solve the linear
    system that says where the means of `points` [n, 3] (with `weights` [n]) end up, with a little ridge.
    """
    centres = source.colors.float()
    if len(centres) == 1:
        return Shift(centres, by, 1.0)
    between = torch.cdist(centres, centres)
    nearest_other = float((between + 9.0 * torch.eye(len(centres))).amin(1).median())
    shift = Shift(centres, torch.zeros_like(centres), max(width[0] * nearest_other, width[1]))
    nearest = nearest_centre(points, centres)
    mass = torch.zeros(len(centres)).index_add_(0, nearest, weights)
    influence = torch.zeros(len(centres), len(centres))
    influence.index_add_(0, nearest, (shift.weights(points.T.contiguous()) * weights).T)
    influence = influence / mass.clamp_min(1e-9)[:, None]
    scale = mass.clamp_min(1e-9).sqrt()[:, None] / mass.sum().sqrt()
    a, b = influence * scale, by * scale
    ridge = RIDGE * torch.eye(len(centres))
    # The ridge pulls towards each centre's own way, not towards standing still.
    moves = torch.linalg.solve(a.T @ a + ridge, a.T @ b + ridge @ by)
    return Shift(centres, moves, shift.width)


def repalette(
    picture: Tensor,
    target: Palette,
    *,
    source: Palette | None = None,
    lightness: float = 0.0,
    strength: float = 1.0,
    mask: Tensor | None = None,
) -> Tensor:
    """A picture [3, H, W] in 0..1 in the colors of `target`; drawing and shading stay.

    With `source`, the palette that was found in this picture and then edited into `target` (as many colors, in the
    same order): each color goes where it was edited to. Without it, optimal transport says which goes where, and
    `lightness` 0..1 how far the palette's light and dark are taken too: 0 moves hue and chroma alone. `strength` 0 is
    the same picture, bit for bit. `mask` [H, W]: where.
    Raises ValueError (UserError) for values outside their range, palettes that do not pair, or an empty mask.
    """
    if not 0.0 <= strength <= 1.0:
        raise UserError(f"strength is {strength}; it must be between 0 (the picture as it is) and 1.")
    shift = palette_map(picture, target, source=source, lightness=lightness, mask=mask)
    return edit_colors(picture, lambda lab, _: shift(lab), strength, mask)


def palette_map(
    picture: Tensor,
    target: Palette,
    *,
    source: Palette | None = None,
    lightness: float = 0.0,
    mask: Tensor | None = None,
) -> Shift:
    """The map behind `repalette`."""
    if not 0.0 <= lightness <= 1.0:
        raise UserError(f"lightness is {lightness}; it must be between 0 (hues alone) and 1 (light and dark too).")
    points, weights = sampled_pixels(picture, mask)
    return map_points(points, weights, target, summary(points, weights, FINE), source, lightness)


def map_points(
    points: Tensor, weights: Tensor, target: Palette, fine: Palette, source: Palette | None, lightness: float
) -> Shift:
    """`palette_map` for colors [n, 3] with weights, summarised as `fine`. An edited palette is taken as it is written,
    light and dark too."""
    if source is None:
        by = goals(fine, target) - fine.colors
        by[:, 0] *= lightness
        return shift_by(fine, by, points, weights)
    if len(source) != len(target):
        raise UserError(
            f"The palette was edited from {len(source)} colors to {len(target)}; keep as many, in the same order."
        )
    return shift_by(source, (target.colors - source.colors).float(), points, weights, NARROW)


def palette_distance(a: Palette, b: Palette) -> float:
    """The earth mover's distance between two palettes in OKLab: the mean way that colors have to go (Rubner 2000).

    Where one of them has no shares, each of its colors takes what is nearest to it, and colors that nothing is near
    to count as well: the mean of both ways.
    """
    from scipy.optimize import linprog

    cost = torch.cdist(a.colors.double(), b.colors.double())
    if a.shares is None or b.shares is None:
        one, other = (a, cost) if b.shares is None else (b, cost.T)
        return float((one.weights().double() @ other.amin(1) + other.amin(0).mean()) / 2)
    rows, columns = cost.shape
    sums = torch.zeros(rows + columns, rows * columns)
    for i in range(rows):
        sums[i, i * columns : (i + 1) * columns] = 1
    for j in range(columns):
        sums[rows + j, j::columns] = 1
    masses = torch.cat([a.weights().double() / a.weights().sum(), b.weights().double() / b.weights().sum()])
    result = linprog(cost.flatten().numpy(), A_eq=sums[:-1].numpy(), b_eq=masses[:-1].numpy(), bounds=(0, None))
    return float(result.fun)
