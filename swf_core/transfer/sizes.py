"""Sizes: a picture keeps its aspect, nothing is squashed or cropped.

Sides that are no multiple of a latent cell are padded by repeating the edge, and the result is cut back.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from ..errors import UserError
from ..masks import resize_mask
from ..models.round_trip import pad_to_cells


def check_picture(picture: Tensor) -> None:
    """Raise ValueError (UserError) unless it is [3, H, W]."""
    if picture.dim() != 3 or picture.shape[0] != 3:
        raise UserError(f"A picture of shape {tuple(picture.shape)} was given; it must be [3, height, width] in 0..1.")


def to_long_side(picture: Tensor, long_side_px: int) -> Tensor:
    """[3, H, W] resampled (antialiased bicubic) so that its long side is `long_side_px`; 0 leaves it as it is."""
    check_picture(picture)
    height, width = picture.shape[-2:]
    if not long_side_px or max(height, width) == long_side_px:
        return picture.float()
    factor = long_side_px / max(height, width)
    size = [max(1, round(height * factor)), max(1, round(width * factor))]
    resized = F.interpolate(picture[None].float(), size, mode="bicubic", align_corners=False, antialias=True)
    return resized[0].clamp(0.0, 1.0)


def mask_like(mask: Tensor, size_px: tuple[int, int], cell_px: int) -> Tensor:
    """A mask [H, W] at any resolution, in 0..1, brought to a picture's (height, width) and padded like it: [h', w']."""
    if mask.dim() != 2:
        raise UserError(f"A mask of shape {tuple(mask.shape)} was given; a mask is [height, width] in 0..1.")
    return pad_to_cells(resize_mask(mask, size_px)[None], cell_px)[0]
