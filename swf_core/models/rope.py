"""Rotary positions of diffusion transformers: a token's channels, in pairs, turned by where it stands.

As Flux has them (RoFormer, arXiv 2104.09864, over several axes): channels are cut into axes, and pair d of an axis
with D channels is turned by id * theta^(-2 d / D). Pairs are neighbors (0, 1), (2, 3), and so on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from ..errors import UserError


@dataclass(frozen=True)
class RopeView:
    """A network's rotary positions: channels of a head per axis, even numbers, and `theta`.

    The last two axes are a picture's rows and columns, those before them hold 0 (Flux and Qwen-Image: (16, 56, 56)).
    `rest`: channels of a head behind the axes', which are not turned (HiDream). `centered`: whether 0 stands in the
    middle of a grid (Qwen-Image) and not at its first token. `behind`: how many axes stand behind the columns', which
    hold 0 in pictures (Flux.2: 1).
    """

    axes: tuple[int, ...]
    theta: float = 10000.0
    rest: int = 0
    centered: bool = False
    behind: int = 0

    def __post_init__(self) -> None:
        if len(self.axes) < 2 + self.behind or any(size < 2 or size % 2 for size in self.axes):
            raise UserError(f"Rotary axes are {self.axes}; give at least two, each of an even number of channels.")

    @property
    def channels(self) -> int:
        """Channels of a head."""
        return sum(self.axes) + self.rest

    @property
    def picture_axes(self) -> tuple[int, int]:
        """Which axes are a picture's rows and columns."""
        return len(self.axes) - 2 - self.behind, len(self.axes) - 1 - self.behind

    def grid_ids(
        self, rows: int, columns: int, top: float = 0.0, left: float = 0.0, origin: Tensor | None = None
    ) -> Tensor:
        """Ids [rows * columns, axes] of a grid of tokens, row by row, moved down by `top` and right by `left`; float64.

        `origin` [1 or B, axes]: added to all of them, where a picture begins elsewhere than at 0 (Lumina 2's stand
        behind the text on the first axis); ids of B rows are [B, rows * columns, axes].
        """
        middle = (rows // 2, columns // 2) if self.centered else (0, 0)
        ids, (down, along) = torch.zeros(rows, columns, len(self.axes), dtype=torch.float64), self.picture_axes
        ids[..., down] += torch.arange(rows, dtype=torch.float64)[:, None] + (top - middle[0])
        ids[..., along] += torch.arange(columns, dtype=torch.float64)[None, :] + (left - middle[1])
        ids = ids.reshape(rows * columns, -1)
        if origin is None:
            return ids
        moved = ids + origin.double().cpu()[:, None]
        return moved[0] if len(moved) == 1 else moved

    def rotate(self, x: Tensor, ids: Tensor) -> Tensor:
        """Tokens [B, heads, N, d] turned to where they stand, ids [N or 1, axes], or [B, N, axes] of each row."""
        return self._turn(x, ids, 1.0)

    def unrotate(self, x: Tensor, ids: Tensor) -> Tensor:
        """The inverse of `rotate`."""
        return self._turn(x, ids, -1.0)

    def shift(self, x: Tensor, offset: Sequence[float]) -> Tensor:
        """Tokens that are rotated already, moved by `offset` [axes]: as rotated at ids + offset, whatever these are."""
        return self.rotate(x, torch.tensor([list(offset)], dtype=torch.float64))

    def _turn(self, x: Tensor, ids: Tensor, sign: float) -> Tensor:
        if x.shape[-1] != self.channels:
            raise UserError(f"Tokens have {x.shape[-1]} channels a head, their rotary axes {self.axes} have others.")
        ids = ids.double().cpu().contiguous()
        turn = _turns(self, ids.numpy().tobytes(), tuple(ids.shape), x.device)
        turn = turn if sign > 0.0 else turn.conj()
        turned, kept = x.split([sum(self.axes), self.rest], -1)
        pairs = torch.view_as_complex(turned.float().unflatten(-1, (-1, 2)).contiguous())  # numbers in the plane
        turned = torch.view_as_real(pairs * turn).flatten(-2).to(x.dtype)
        return turned if self.rest == 0 else torch.cat([turned, kept], -1)

    def _angles(self, ids: Tensor) -> Tensor:
        """[N, d / 2], or [B, 1, N, d / 2] of ids of each row; float64."""
        ids = ids if ids.dim() == 2 else ids[:, None]
        return torch.cat([ids[..., axis, None] * self._frequencies(size) for axis, size in enumerate(self.axes)], -1)

    def _frequencies(self, size: int) -> Tensor:
        return self.theta ** (-torch.arange(0, size, 2, dtype=torch.float64) / size)


@lru_cache(maxsize=16)
def _turns(rope: RopeView, ids: bytes, shape: tuple[int, ...], device: torch.device) -> Tensor:
    """Numbers of the plane [N, d / 2], or [B, 1, N, d / 2], complex64, that turn to ids [N, axes] or [B, N, axes].

    The layers of a network ask for the same places again and again; on a GPU making and copying them would take longer
    than the attention.
    """
    angles = rope._angles(torch.frombuffer(bytearray(ids), dtype=torch.float64).reshape(shape))
    return torch.complex(angles.cos().float(), angles.sin().float()).to(device)
