"""The low frequencies of latents, by a Gaussian low-pass that means the same at every size."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def low_pass(x: Tensor, cut: float) -> Tensor:
    """Latents [B, C, h, w] under a Gaussian low-pass, exp(-f^2 / (2 cut^2)), with mirrored borders.

    `cut` and f are in cycles per long side. The mirrored latent's frequencies are those of the cosine transform, and a
    Gaussian is one along rows times one along columns: two small matrices instead of a Fourier transform of four times
    the size.
    """
    rows, columns = (_filter(size, cut / max(x.shape[-2:])).to(x) for size in x.shape[-2:])
    return rows @ x @ columns.T


def _filter(cells: int, cut: float) -> Tensor:
    """The low-pass along one side as a matrix [cells, cells], float64; `cut` in cycles per cell."""
    order = torch.arange(cells, dtype=torch.float64)
    basis = torch.cos(math.pi / cells * order[:, None] * (order + 0.5)) * math.sqrt(2.0 / cells)
    basis[0] /= math.sqrt(2.0)
    frequency = order / (2 * cells)
    return basis.T @ (torch.exp(-(frequency**2) / (2 * cut**2))[:, None] * basis)
