"""Which picture it is: a hash of its pixels, so that the same picture is the same wherever it comes from."""

from __future__ import annotations

import hashlib

import torch
from torch import Tensor


def picture_id(picture: Tensor) -> str:
    """16 hexadecimal digits of the SHA-256 of a picture [3, H, W] as 8-bit values."""
    values = (picture.detach().to("cpu", torch.float32).clamp(0, 1) * 255 + 0.5).to(torch.uint8).contiguous()
    return hashlib.sha256(str(tuple(values.shape)).encode() + values.numpy().tobytes()).hexdigest()[:16]
