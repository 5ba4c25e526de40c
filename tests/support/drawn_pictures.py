"""A small drawn picture for tests of reading and writing pictures."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image


def gradient(width=48, height=32) -> Image.Image:
    """A picture in which every corner differs, so that a wrong turn or flip shows."""
    y, x = np.mgrid[0:height, 0:width]
    rgb = np.stack([x / (width - 1), y / (height - 1), 0.25 + 0 * x], axis=2)
    return Image.fromarray((rgb * 255 + 0.5).astype(np.uint8))


def as_tensor(image: Image.Image) -> torch.Tensor:
    return torch.from_numpy(np.asarray(image.convert("RGB"), dtype=np.float32).transpose(2, 0, 1) / 255)
