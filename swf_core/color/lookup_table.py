"""Any map of colors as a table over the colors of a picture, read with trilinear interpolation.

What a map costs is then the same whatever it does: a million pixels are looked up, 16 thousand are computed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from .palette import sampled_pixels

NODES = 25


@dataclass(frozen=True)
class LookupTable:
    """Differences [1, 3, D, D, D] (axes b, a, L) that a map makes within the box `low` [3] to `high` [3] of OKLab."""

    moves: Tensor
    low: Tensor
    high: Tensor

    @staticmethod
    def over(picture: Tensor, move: Callable[[Tensor], Tensor]) -> LookupTable:
        """The table of `move` (colors [n, 3] to colors) over the colors of a picture [3, H, W]."""
        points, _ = sampled_pixels(picture)
        margin = 0.02  # for rarer colors than those that were sampled; beyond it the border's move is taken
        low, high = points.amin(0) - margin, points.amax(0) + margin
        steps = torch.linspace(0.0, 1.0, NODES)
        b, a, lightness = torch.meshgrid(steps, steps, steps, indexing="ij")
        nodes = low + torch.stack([lightness, a, b], -1).reshape(-1, 3) * (high - low)
        moves = (move(nodes) - nodes).T.reshape(1, 3, NODES, NODES, NODES)
        return LookupTable(moves.contiguous(), low, high)

    def __call__(self, lab: Tensor) -> Tensor:
        """OKLab planes [3, n] moved."""
        place = (lab.T - self.low) * (2.0 / (self.high - self.low)) - 1.0
        moves = F.grid_sample(
            self.moves, place.view(1, 1, 1, -1, 3), mode="bilinear", padding_mode="border", align_corners=True
        )
        return lab + moves.view(3, -1)
