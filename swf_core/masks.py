"""Masks at other sizes: one filter wherever a mask meets a picture, a latent or a grid of tokens."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def resize_mask(mask: Tensor, size: tuple[int, int]) -> Tensor:
    """Masks [..., H, W] in 0..1 at (height, width), float32: averaged over areas where they shrink, bilinear where they
    grow.

    Averaging keeps how much of a cell is covered, so that a thin line does not vanish between the samples.
    """
    (height, width), (rows, columns) = mask.shape[-2:], size
    planes = mask.reshape(-1, 1, height, width).float()
    # first where it shrinks, along both axes at once, then where it grows
    smaller = (min(height, rows), min(width, columns))
    if smaller != (height, width):
        planes = F.interpolate(planes, smaller, mode="area")
    if smaller != (rows, columns):
        planes = F.interpolate(planes, (rows, columns), mode="bilinear", align_corners=False)
    return planes.reshape(*mask.shape[:-2], rows, columns).clamp(0.0, 1.0)
