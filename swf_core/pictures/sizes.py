"""Sizes of pictures: same aspect, Lanczos, and the refusal of what would end up too thin.

Working sizes and padding of a transfer are `swf_core/transfer/sizes.py`.
"""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image

from ..errors import UserError
from .picture import SMALLEST_PX, Picture

LANCZOS = Image.Resampling.LANCZOS


def scaled(height: int, width: int, long_side: int) -> tuple[int, int]:
    """Return height and width with the same aspect and this long side."""
    scale = long_side / max(height, width)
    return max(1, round(height * scale)), max(1, round(width * scale))


def resize(pixels: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """Scale [C,H,W] with Lanczos in 32-bit float, clipped to 0..1."""
    if tuple(pixels.shape[1:]) == (height, width):
        return pixels
    source = pixels.detach().to("cpu", torch.float32).numpy()
    planes = [np.asarray(Image.fromarray(plane).resize((width, height), LANCZOS)) for plane in source]
    return torch.from_numpy(np.stack(planes)).clamp(0.0, 1.0)


def check_size(picture: Picture | torch.Tensor, size_px: int) -> tuple[int, int]:
    """Return height and width at a long side of `size_px`; refuse a picture so thin that nothing would be left."""
    pixels = picture.pixels if isinstance(picture, Picture) else picture
    height, width = scaled(pixels.shape[1], pixels.shape[2], size_px)
    if min(height, width) < SMALLEST_PX:
        name = f"'{picture.path}'" if isinstance(picture, Picture) and picture.path else "The picture"
        raise UserError(
            f"{name} is too long and thin for a size of {size_px} px: its short side would be {min(height, width)} px; "
            f"at least {SMALLEST_PX} are needed."
        )
    return height, width
