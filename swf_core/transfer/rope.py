"""Where a style's keys stand among rotary positions, so that its brushwork is read and not its objects.

At its own place a style's key wins the softmax of the query at the same place, and the style picture is copied. Three
cures: keys moved beside the result (AlignedGen, arXiv 2509.17088), keys whose fast pairs are turned down (Untwisting
RoPE, arXiv 2602.05013), keys without a place (FreeFlux and Stable Flow choose layers for it; here it is done to keys).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import UserError
from ..models.rope import RopeView

POSITIONS = ("untwist", "shift", "free", "same")


@dataclass(frozen=True)
class Untwist:
    """Gains of Untwisting RoPE: `high` of the fastest pair of an axis and `low` of the slowest, each at the first and
    the last step, linear in t between; `beta`: how late along the pairs the gain turns from the one to the other.

    The paper's numbers for Flux. `flat_first`: the axes beside rows and columns, which are no places in a picture, have
    `low` throughout, as the paper has it.
    """

    high: tuple[float, float] = (0.25, 0.75)
    low: tuple[float, float] = (1.0, 1.4)
    beta: float = 2.0
    flat_first: bool = True

    def gains(self, rope: RopeView, progress: float) -> Tensor:
        """The factor of each channel of a key [d], float32; `progress`: 0 at pure noise, 1 at the clean picture."""
        high, low = (start + (end - start) * progress for start, end in (self.high, self.low))
        parts = []
        for axis, size in enumerate(rope.axes):
            pairs = size // 2
            along = torch.arange(pairs, dtype=torch.float64) / max(1, pairs - 1)
            curve = high + (low - high) * along**self.beta
            if self.flat_first and axis not in rope.picture_axes:
                curve = torch.full_like(curve, low)
            parts.append(curve.repeat_interleave(2))
        parts.append(torch.ones(rope.rest, dtype=torch.float64))  # stand nowhere
        return torch.cat(parts).float()


@dataclass(frozen=True, eq=False)
class KeyPositions:
    """Where keys [B, heads, M, d] are read: at `ids`, [M, axes] or [B, M, axes], None for no place; their channels
    times `gains` [d]."""

    rope: RopeView
    ids: Tensor | None
    gains: Tensor | None = None

    def place(self, k: Tensor) -> Tensor:
        """Keys without a place, placed."""
        if self.ids is None:
            return k
        return self.rope.rotate(k if self.gains is None else k * self.gains.to(k), self.ids)


def key_positions(
    how: str,
    rope: RopeView,
    style_grid: tuple[int, int],
    own_grid: tuple[int, int],
    progress: float,
    origin: Tensor | None = None,
) -> KeyPositions:
    """Where the keys of a style on its grid (rows, columns) stand for a result on its own grid, which begins at
    `origin` (see `RopeView.grid_ids`).

    `how`: "same": where they stood; "shift": to the right of the result; "untwist": where they stood, with the gains of
    `Untwist` at `progress` (0 at pure noise, 1 clean); "free": nowhere, to be asked with queries without a place.
    """
    if how == "same":
        return KeyPositions(rope, rope.grid_ids(*style_grid, origin=origin))
    if how == "shift":
        return KeyPositions(rope, rope.grid_ids(*style_grid, left=own_grid[1], origin=origin))
    if how == "untwist":
        return KeyPositions(rope, rope.grid_ids(*style_grid, origin=origin), Untwist().gains(rope, progress))
    if how == "free":
        return KeyPositions(rope, None)
    raise UserError(f"positions is {how!r}; use one of {', '.join(POSITIONS)}.")
