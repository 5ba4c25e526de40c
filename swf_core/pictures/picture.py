"""One picture in memory: pixels, alpha, the file it came from and its size there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

SMALLEST_PX = 8


@dataclass(frozen=True)
class Picture:
    """One picture in memory."""

    pixels: torch.Tensor  # [3,H,W], sRGB in 0..1
    alpha: torch.Tensor | None  # [H,W] in 0..1, None when the file had none
    path: Path | None
    original_size: tuple[int, int]  # width, height as a viewer shows it, before any scaling

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of `pixels`."""
        return self.pixels.shape[2], self.pixels.shape[1]
