"""Strokes from one picture, colors of the same place from another: the wavelet color fix, and luminance transfer."""

from __future__ import annotations

import torch
from torch import Tensor

from ..pictures import resize
from .spaces import edit_colors, oklab_planes, to_oklab

LEVELS = 5


def low_pass(planes: Tensor, levels: int = LEVELS) -> Tensor:
    """[C, H, W] smoothed by the B-spline [1 2 1] / 4 at holes of 1, 2, 4, ... pixels: the residue of an a trous wavelet
    transform (Starck and Murtagh 1994). Edges are repeated. Linear, so low(x) - low(y) = low(x - y)."""
    for level in range(levels):
        for axis in (1, 2):
            planes = _smoothed(planes, axis, 1 << level)
    return planes


def _smoothed(planes: Tensor, axis: int, hole: int) -> Tensor:
    """(left + 2 here + right) / 4 along an axis, neighbours `hole` pixels away or at the edge."""
    size = planes.shape[axis]
    hole = min(hole, size)
    inner, out = size - hole, 2.0 * planes
    out.narrow(axis, hole, inner).add_(planes.narrow(axis, 0, inner))
    out.narrow(axis, 0, hole).add_(planes.narrow(axis, 0, 1))
    out.narrow(axis, 0, inner).add_(planes.narrow(axis, hole, inner))
    out.narrow(axis, inner, hole).add_(planes.narrow(axis, size - 1, 1))
    return out.mul_(0.25)


def wavelet(
    picture: Tensor, reference: Tensor, *, luminance: bool = False, strength: float = 1.0, mask: Tensor | None = None
) -> Tensor:
    """high(picture) + low(reference) in OKLab (the color fix of StableSR, Wang et al. 2023, which works in RGB); with
    `luminance` instead the reference's a and b under the picture's L. The reference is brought to the picture's size.
    """
    height, width = picture.shape[1:]
    if reference.shape[1:] != picture.shape[1:]:
        reference = resize(reference, height, width)
    if luminance:
        theirs = reference.reshape(3, -1).float().cpu()

        def exchanged(lab: Tensor, part: slice) -> Tensor:
            return torch.cat([lab[:1], to_oklab(theirs[:, part])[1:]])

        return edit_colors(picture, exchanged, strength, mask)
    own = oklab_planes(picture)
    difference = low_pass((oklab_planes(reference) - own).view(picture.shape)).reshape(3, -1)
    return edit_colors(picture, lambda lab, part: lab + difference[:, part], strength, mask, own)
