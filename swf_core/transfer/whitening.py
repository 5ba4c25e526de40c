"""Whitening and coloring transform: a picture's features take on mean and covariance of another's.

Li et al., "Universal style transfer via feature transforms", arXiv 1705.08086.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..errors import UserError

# Directions of the content's covariance below this share of its greatest eigenvalue hold nothing to whiten.
SMALLEST_EIGENVALUE = 1e-6


def whiten_and_color(content: Tensor, style: Tensor, amount: float = 1.0) -> Tensor:
    """Features [B, C, h, w] with mean and covariance over space moved by `amount` (0..1) to those of `style`
    [1 or B, C, h', w'].

    E_s D_s^1/2 E_s^T E_c D_c^-1/2 E_c^T (f - m_c) + m_s, from the eigenvectors E and eigenvalues D of the two
    covariances (arXiv 1705.08086, equations 1 and 2; `amount` is its alpha, equation 3). Directions in which the
    content does not vary are left at the style's mean. Computed in float64, since a small eigenvalue is divided by;
    returned in the content's dtype.
    Raises ValueError (UserError) when `amount` is outside 0..1.
    """
    if not 0.0 <= amount <= 1.0:
        raise UserError(f"The WCT amount is {amount}; it must be between 0 (the content's) and 1 (the style's).")
    if amount == 0.0:
        return content
    flat, flat_style = content.flatten(2).double(), style.flatten(2).double()
    mean, style_mean = flat.mean(-1, keepdim=True), flat_style.mean(-1, keepdim=True)
    centered = flat - mean
    values, vectors = torch.linalg.eigh(_covariance(centered))
    kept = values > SMALLEST_EIGENVALUE * values[..., -1:].clamp_min(0.0)
    whitening = torch.where(kept, values, 1.0).rsqrt() * kept
    style_values, style_vectors = torch.linalg.eigh(_covariance(flat_style - style_mean))
    white = vectors @ (whitening[..., None] * (vectors.mT @ centered))
    colored = style_vectors @ (style_values.clamp_min(0.0).sqrt()[..., None] * (style_vectors.mT @ white)) + style_mean
    return (flat + amount * (colored - flat)).view_as(content).to(content.dtype)


def _covariance(centered: Tensor) -> Tensor:
    return centered @ centered.mT / max(1, centered.shape[-1] - 1)
