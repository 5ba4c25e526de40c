"""Pictures as rows of tokens, each a square of latent cells, row by row; channels first, then a square's rows."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def grid_of(x: Tensor, patch: int) -> tuple[int, int]:
    """Rows and columns of tokens of [B, C, h, w]."""
    return x.shape[-2] // patch, x.shape[-1] // patch


def to_tokens(x: Tensor, patch: int) -> Tensor:
    """[B, C, h, w] -> [B, rows * columns, C * patch * patch]."""
    return F.pixel_unshuffle(x, patch).flatten(2).transpose(1, 2)


def from_tokens(tokens: Tensor, grid: tuple[int, int], patch: int) -> Tensor:
    """The inverse of `to_tokens`, float32."""
    return F.pixel_shuffle(tokens.transpose(1, 2).unflatten(-1, grid), patch).float()
