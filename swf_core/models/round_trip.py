"""A picture through an autoencoder and back, at any size: what a model can hold of it."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from .contracts import Codec


def pad_to_cells(picture: Tensor, cell_px: int) -> Tensor:
    """[C, H, W] with its right and bottom edges repeated until both sides are multiples of `cell_px`."""
    height, width = picture.shape[-2:]
    right, bottom = -width % cell_px, -height % cell_px
    if not right and not bottom:
        return picture
    return F.pad(picture[None], (0, right, 0, bottom), mode="replicate")[0]


def round_trip(codec: Codec, picture: Tensor) -> Tensor:
    """D(E(picture)): [3, H, W] in 0..1, and so again, on the codec's device."""
    height, width = picture.shape[-2:]
    padded = pad_to_cells(picture.float(), codec.downscale)
    return codec.decode(codec.encode(padded[None]))[0, :, :height, :width].clamp(0.0, 1.0)
