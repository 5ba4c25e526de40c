"""Strokes from one picture, colours of the same place from another: the wavelet colour fix, and luminance transfer."""

from __future__ import annotations

import torch
from torch import Tensor

from ..pictures import resize
from .spaces import edited, to_oklab

LEVELS = 5


def low_pass(planes: Tensor, levels: int = LEVELS) -> Tensor:
    """[C, H, W] smoothed by the B-spline [1 2 1] / 4 at holes of 1, 2, 4, ... pixels: the residue of an a trous wavelet
    transform (Starck and Murtagh 1994). Edges are repeated. Linear, so low(x) - low(y) = low(x - y)."""
    for level in range(levels):
        for axis in (1, 2):
            hole = 1 << level
            ends = planes.narrow(axis, 0, 1), planes.narrow(axis, planes.shape[axis] - 1, 1)
            repeat = [-1, -1, -1]
            repeat[axis] = hole
            padded = torch.cat([ends[0].expand(repeat), planes, ends[1].expand(repeat)], axis)
            size = planes.shape[axis]
            ends_sum = padded.narrow(axis, 0, size) + padded.narrow(axis, 2 * hole, size)
            planes = ends_sum.add_(planes, alpha=2.0).mul_(0.25)
    return planes


def wavelet(
    picture: Tensor, reference: Tensor, *, luminance: bool = False, strength: float = 1.0, mask: Tensor | None = None
) -> Tensor:
    """high(picture) + low(reference) in OKLab (the colour fix of StableSR, Wang et al. 2023, which works in RGB); with
    `luminance` instead the reference's a and b under the picture's L. The reference is brought to the picture's size.
    """
    height, width = picture.shape[1:]
    if reference.shape[1:] != picture.shape[1:]:
        reference = resize(reference, height, width)
    if luminance:
        theirs = reference.reshape(3, -1).float()

        def exchanged(lab: Tensor, part: slice) -> Tensor:
            return torch.cat([lab[:1], to_oklab(theirs[:, part])[1:]])

        return edited(picture, exchanged, strength, mask)
    difference = low_pass(_oklab(reference) - _oklab(picture)).reshape(3, -1)
    return edited(picture, lambda lab, part: lab + difference[:, part], strength, mask)


def _oklab(picture: Tensor) -> Tensor:
    flat = picture.reshape(3, -1).float()
    return torch.cat([to_oklab(part) for part in flat.split(1 << 15, 1)], 1).view(picture.shape)
