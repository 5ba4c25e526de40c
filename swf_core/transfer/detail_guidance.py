"""Classifier-free guidance held to detail: words sharpen the marks, and layout and tones stay with the pictures.

    D  = x0(text) - x0(empty text)
    D <- D - a (<D, P> / <P, P>) P             P = x0(text); what is parallel to it only adds contrast
    D <- D - a G_cut(D)                        the low frequencies are what both texts agree the pictures should set
    x0 = x0(text) + (w - 1) D

The first line is adaptive projected guidance (arXiv 2410.02416, eta = 1 - a), without its momentum and its limit of
the norm. The second is frequency-decoupled guidance (arXiv 2506.19713), w for the high frequencies and
1 + (1 - a)(w - 1) for the low ones; differs from it: a Gaussian low-pass instead of a Laplacian pyramid. At a = 0 it is
plain guidance. It evaluates nothing (0 E).
"""

from __future__ import annotations

from torch import Tensor

from .low_pass import low_pass

# Cycles per long side: what is larger than half of the picture is layout and tone. At 3 it is the same
# (docs/figures.md).
CUT = 2.0


def detail_of(difference: Tensor, prediction: Tensor, amount: float) -> Tensor:
    """What guidance multiplies: the difference of both predictions [B, C, h, w], `amount` (0..1) of it held to detail.

    `prediction`: x0 under the text, [B, C, h, w].
    """
    if amount == 0.0:
        return difference
    rows, along = difference.flatten(1), prediction.flatten(1)
    share = (rows * along).sum(1) / (along * along).sum(1).clamp_min(1e-12)
    difference = difference - amount * share[:, None, None, None] * prediction
    return difference - amount * low_pass(difference, CUT)
