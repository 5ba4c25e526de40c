"""Where a style's keys stand among rotary positions, so that its brushwork is read and not its objects.

At its own place a style's key wins the softmax of the query at the same place, and the style picture is copied. Three
cures: keys moved beside the result (AlignedGen, arXiv 2509.17088), keys whose fast pairs are turned down (Untwisting
RoPE, arXiv 2602.05013), keys without a place (FreeFlux and Stable Flow choose layers for it; here it is done to keys).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import UserError
from ..models.rope import RopeView

POSITIONS = ("untwist", "shift", "free", "same")
# Beyond this a gain leaves no other key a chance; published ones reach 3.
MOST_GAIN = 10.0
_NUMBER = r"(\d+(?:\.\d*)?|\.\d+)"
_TYPED = re.compile(rf"{_NUMBER}(?:-{_NUMBER})?,{_NUMBER}(?:-{_NUMBER})?(?:,{_NUMBER})?")


@dataclass(frozen=True)
class Untwist:
    """Gains of Untwisting RoPE: `high` of the fastest pair of an axis and `low` of the slowest, each at the first and
    the last step, linear in t between; `beta`: how late along the pairs the gain turns from the one to the other.

    The paper's numbers for Flux. `flat_first`: the axes beside rows and columns, which are no places in a picture, have
    `low` throughout, as the paper has it; a port found that to ruin Z-Image, where they follow the others' curve.
    Gains are 0..10, where 1 leaves a pair as it is, and beta 0.01..100. Raises ValueError (UserError) outside.
    """

    high: tuple[float, float] = (0.25, 0.75)
    low: tuple[float, float] = (1.0, 1.4)
    beta: float = 2.0
    flat_first: bool = True

    def __post_init__(self) -> None:
        for gain in (*self.high, *self.low):
            if not 0.0 <= gain <= MOST_GAIN:
                raise UserError(f"A gain of untwist is {gain:g}; each must be between 0 and {MOST_GAIN:g} (1 is none).")
        if not 0.01 <= self.beta <= 100.0:
            raise UserError(f"beta of untwist is {self.beta:g}; it must be between 0.01 and 100 (2 is published).")

    @classmethod
    def parse(cls, text: str, flat_first: bool = True) -> Untwist:
        """The gains as they are typed, "0.25-0.75,1-1.4,2": high, low and, where it is not 2, beta; a single number in
        place of two holds all along. Raises ValueError (UserError) for any other text."""
        match = _TYPED.fullmatch(text.replace(" ", ""))
        if match is None:
            raise UserError(
                f"untwist is {text!r}; give gains of the fast and of the slow pairs, and beta, as '{cls().typed()}'."
            )
        high, high_end, low, low_end, beta = match.groups()
        gains = (float(high), float(high_end or high)), (float(low), float(low_end or low))
        return cls(*gains, cls.beta if beta is None else float(beta), flat_first)

    def typed(self) -> str:
        """The text that `parse` reads as these gains."""
        high, low = (f"{a:g}" if a == b else f"{a:g}-{b:g}" for a, b in (self.high, self.low))
        return f"{high},{low},{self.beta:g}"

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
    untwist: Untwist | None = None,
) -> KeyPositions:
    """Where the keys of a style on its grid (rows, columns) stand for a result on its own grid, which begins at
    `origin` (see `RopeView.grid_ids`).

    `how`: "same": where they stood; "shift": to the right of the result; "untwist": where they stood, with the gains of
    `untwist`, the paper's if None, at `progress` (0 at pure noise, 1 clean); "free": nowhere, to be asked with queries
    without a place.
    """
    if how == "same":
        return KeyPositions(rope, rope.grid_ids(*style_grid, origin=origin))
    if how == "shift":
        return KeyPositions(rope, rope.grid_ids(*style_grid, left=own_grid[1], origin=origin))
    if how == "untwist":
        gains = (untwist or Untwist()).gains(rope, progress)
        return KeyPositions(rope, rope.grid_ids(*style_grid, origin=origin), gains)
    if how == "free":
        return KeyPositions(rope, None)
    raise UserError(f"positions is {how!r}; use one of {', '.join(POSITIONS)}.")
