"""The colors of a reference picture: statistics or whole distributions of OKLab carried over."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import UserError
from .lookup_table import LookupTable
from .methods import METHODS
from .palette import sampled_pixels
from .spaces import BLOCK, edit_colors, oklab_planes
from .wavelet import wavelet

# No direction of color is stretched more: the noise of a grey picture is no color.
LARGEST_GAIN = 12.0
# Pixels of a mask that statistics are taken from, at most. Without a mask it is all: every second row gave results that
# were up to 3 steps of 255 off, 65 thousand pixels up to 7, where a picture's colors are stretched much.
COUNTED = 1 << 21
QUANTILES = 256
ROTATIONS, SLICE_POINTS = 12, 1 << 12


def match(
    picture: Tensor,
    reference: Tensor | Gaussian,
    method: str = "linear",
    *,
    strength: float = 1.0,
    mask: Tensor | None = None,
    reference_mask: Tensor | None = None,
) -> Tensor:
    """A picture [3, H, W] in 0..1 with the colors of `reference` [3, h, w].

    * linear: the affine map between two Gaussians that moves least, Monge-Kantorovich (Pitie and Kokaram 2007): mean
      and covariance become the reference's.
    * reinhard: mean and deviation of each channel (Reinhard et al. 2001, here in OKLab).
    * histogram: each channel's whole distribution.
    * sliced: the whole distribution in three dimensions, by random directions (Pitie et al. 2007, Bonneel et al. 2015).
    * wavelet: strokes from the picture, broad colors of the same place from the reference (Wang et al. 2023).
    * luminance: light and dark from the picture, hue and chroma of the same place from the reference (Gatys et al.
      2016, "luminance-only transfer"): keeps the colors of a content when it is the reference.

    `reference` may be its `Gaussian` for the first two, which many pictures then share.
    `mask` [H, W], `reference_mask` [h, w]: where colors are counted, and where they change. `strength` 0 is the same
    picture, bit for bit.
    Raises ValueError (UserError) for an unknown method, a strength outside 0..1 or an empty mask.
    """
    if method not in METHODS:
        raise UserError(f"The method {method!r} is unknown; use {', '.join(METHODS)}.")
    if not 0.0 <= strength <= 1.0:
        raise UserError(f"strength is {strength}; it must be between 0 (the picture as it is) and 1.")
    if strength == 0.0:
        return picture
    if method in ("linear", "reinhard"):
        lab = oklab_planes(picture)
        own = Gaussian.of_planes(lab) if mask is None else Gaussian.of(picture, mask)
        theirs = reference if isinstance(reference, Gaussian) else Gaussian.of(reference, reference_mask)
        affine = own.linear_to(theirs) if method == "linear" else own.reinhard_to(theirs)
        return edit_colors(picture, lambda lab, _: affine(lab), strength, mask, lab)
    if isinstance(reference, Gaussian):
        raise UserError(f"The method {method!r} needs the reference's picture; use linear or reinhard with a Gaussian.")
    if method in ("wavelet", "luminance"):
        return wavelet(picture, reference, luminance=method == "luminance", strength=strength, mask=mask)
    points, theirs = sampled_pixels(picture, mask)[0], sampled_pixels(reference, reference_mask)[0]
    mapping = Slices.fit(points, theirs, method)
    table = Curves.of(mapping, points) if method == "histogram" else LookupTable.over(picture, mapping)
    return edit_colors(picture, lambda lab, _: table(lab), strength, mask)


@dataclass(frozen=True)
class Affine:
    """x -> matrix (x - centre) + goal, on OKLab planes [3, n]."""

    matrix: Tensor
    centre: Tensor
    goal: Tensor

    def __call__(self, lab: Tensor) -> Tensor:
        matrix = self.matrix.to(lab)
        return torch.addmm((self.goal - self.matrix @ self.centre).to(lab)[:, None], matrix, lab)


@dataclass(frozen=True)
class Gaussian:
    """Mean [3] and covariance [3, 3] of colors in OKLab, float64."""

    mean: Tensor
    covariance: Tensor

    @staticmethod
    def of(picture: Tensor, mask: Tensor | None = None) -> Gaussian:
        """Of a picture [3, H, W], or of what its mask shows."""
        if mask is not None:
            return Gaussian.of_points(*sampled_pixels(picture, mask, COUNTED))
        return Gaussian.of_planes(oklab_planes(picture))

    @staticmethod
    def of_planes(lab: Tensor) -> Gaussian:
        """Of OKLab planes [3, n] in float32."""
        total, squares = torch.zeros(3, dtype=torch.float64), torch.zeros(3, 3, dtype=torch.float64)
        middle = torch.tensor([[0.5], [0.0], [0.0]])
        for part in lab.split(BLOCK, 1):
            # From near the middle of OKLab: sums of squares in float32 would lose digits far from it.
            part = part - middle
            total += part.sum(1)
            squares += part @ part.T
        mean = total / lab.shape[1]
        return Gaussian(mean + middle[:, 0], squares / lab.shape[1] - torch.outer(mean, mean))

    @staticmethod
    def of_points(points: Tensor, weights: Tensor | None = None) -> Gaussian:
        """Of colors [n, 3] with weights [n]."""
        planes = points.T.double()
        share = torch.ones(len(points), dtype=torch.float64) if weights is None else weights.double()
        share = share / share.sum()
        mean = planes @ share
        centred = planes - mean[:, None]
        return Gaussian(mean, (centred * share) @ centred.T)

    def linear_to(self, other: Gaussian) -> Affine:
        """T = S^-1/2 (S^1/2 R S^1/2)^1/2 S^-1/2, the only symmetric map between the two covariances that is a gradient
        of a convex function. Its eigenvalues are held to `LARGEST_GAIN`."""
        root, inverse = _roots(self.covariance)
        middle, _ = _roots(root @ other.covariance @ root)
        values, vectors = torch.linalg.eigh(inverse @ middle @ inverse)
        matrix = vectors @ torch.diag(values.clamp(0.0, LARGEST_GAIN)) @ vectors.T
        return Affine(matrix, self.mean, other.mean)

    def reinhard_to(self, other: Gaussian) -> Affine:
        """Each channel by itself."""
        own, theirs = self.covariance.diagonal().clamp_min(0).sqrt(), other.covariance.diagonal().clamp_min(0).sqrt()
        gain = (theirs / own.clamp_min(1e-6)).clamp_max(LARGEST_GAIN)
        return Affine(torch.diag(gain), self.mean, other.mean)


def _roots(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """The square root of a symmetric positive matrix, and its inverse without the directions that hold nothing."""
    values, vectors = torch.linalg.eigh((matrix + matrix.T) / 2)
    values = values.clamp_min(0.0)
    root = values.sqrt()
    inverse = torch.where(values > 1e-9, 1.0 / root.clamp_min(1e-12), torch.zeros_like(root))
    return vectors @ torch.diag(root) @ vectors.T, vectors @ torch.diag(inverse) @ vectors.T


@dataclass(frozen=True)
class Slices:
    """Maps of one axis each, done in turn: `turns` rotations [3, 3], and for each axis quantiles before and after."""

    turns: list[Tensor]
    before: list[Tensor]
    after: list[Tensor]

    @staticmethod
    def fit(points: Tensor, reference: Tensor, method: str) -> Slices:
        """Fit "histogram" once along L, a and b; "sliced" along many random axes, each on what the last one left."""
        generator = torch.Generator().manual_seed(0)
        turns = [torch.eye(3)]
        if method == "sliced":
            drawn = torch.randn((ROTATIONS - 1, 3, 3), generator=generator, dtype=torch.float64)
            turns += [torch.linalg.qr(each)[0].float() for each in drawn]
            points, reference = points[:SLICE_POINTS], reference[:SLICE_POINTS]
        slices = Slices([], [], [])
        for turn in turns:
            slices.turns.append(turn)
            slices.before.append(_quantiles(points @ turn))
            slices.after.append(_quantiles(reference @ turn))
            points = slices.step(points, len(slices.turns) - 1)
        return slices

    def step(self, points: Tensor, k: int) -> Tensor:
        """One rotation's maps on colors [n, 3]."""
        turned = points @ self.turns[k]
        moved = [_map_quantiles(turned[:, c].contiguous(), self.before[k][c], self.after[k][c]) for c in range(3)]
        return torch.stack(moved, 1) @ self.turns[k].T

    def __call__(self, points: Tensor) -> Tensor:
        for k in range(len(self.turns)):
            points = self.step(points, k)
        return points


@dataclass(frozen=True)
class Curves:
    """One curve a channel, as values [3, n] at even places from `low` [3] to `high` [3]."""

    values: Tensor
    low: Tensor
    high: Tensor

    @staticmethod
    def of(slices: Slices, points: Tensor) -> Curves:
        """The maps of a first, unturned rotation."""
        low, high = points.amin(0) - 0.02, points.amax(0) + 0.02
        even = low + torch.linspace(0.0, 1.0, 4 * QUANTILES)[:, None] * (high - low)
        return Curves(slices.step(even, 0).T.contiguous(), low, high)

    def __call__(self, lab: Tensor) -> Tensor:
        last = self.values.shape[1] - 1
        place = (lab - self.low[:, None]) * (last / (self.high - self.low))[:, None]
        index = place.clamp(0.0, last - 1e-3).floor().long().clamp_max(last - 1)
        left, right = self.values.gather(1, index), self.values.gather(1, index + 1)
        return left + (place - index) * (right - left)


def _quantiles(values: Tensor) -> Tensor:
    """[3, QUANTILES], rising, of columns [n, 3]."""
    ordered = values.sort(0).values
    index = torch.linspace(0, len(values) - 1, QUANTILES)
    low, share = index.floor().long(), (index - index.floor())[:, None]
    return (ordered[low] * (1 - share) + ordered[(low + 1).clamp_max(len(values) - 1)] * share).T.contiguous()


def _map_quantiles(values: Tensor, before: Tensor, after: Tensor) -> Tensor:
    """Values [n] from one distribution to the other: piecewise linear between quantiles, shifted beyond them.

    Steps between quantiles steeper than `LARGEST_GAIN` (a flat picture's) are not climbed.
    """
    index = torch.searchsorted(before, values).clamp(1, len(before) - 1)
    left, right = before[index - 1], before[index]
    share = ((values - left) / (right - left).clamp_min(1e-6)).clamp(0.0, 1.0)
    moved = after[index - 1] + share * (after[index] - after[index - 1])
    beyond = (values - before[-1]).clamp_min(0.0) + (values - before[0]).clamp_max(0.0)
    return moved + beyond
