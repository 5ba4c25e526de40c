"""The ways in which a query reads other keys and values than its own: in their place, beside them, as statistics.

Tensors are [B, heads, tokens, d]; a bias is [1 or B, 1, 1 or N, tokens], the log of each token's odds.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from .injection_options import INFINITE_BIAS

# A matrix of attention weights is held for so many queries at a time: 512 x 4096 tokens x 8 heads are 64 MiB.
QUERIES_AT_ONCE = 512


@dataclass(frozen=True, eq=False)
class SelfAttention:
    """Generation's own self-attention at one layer: q, k, v [B, heads, N, d] and the model's `scale`, 1/sqrt(d)."""

    q: Tensor
    k: Tensor
    v: Tensor
    scale: float

    def output(self) -> Tensor:
        """What it returns without injection."""
        return F.scaled_dot_product_attention(self.q, self.k, self.v, scale=self.scale)


def attend(q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None, scale: float) -> Tensor:
    """The style's keys and values in place of the own ones."""
    mask = None if bias is None else bias.to(q).expand(-1, 1, q.shape[-2], -1)
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask, scale=scale)


def attend_with_contrast(q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None, scale: float, contrast: float) -> Tensor:
    """The same, each weight A made clip(contrast * (A - m) + m, 0, 1), m being the weight of a query without a
    preference: the mean of its row, where all tokens have the same odds (Cross-Image Attention, arXiv 2311.03335).

    The weights of a row then no longer sum to 1, as there. Needs the weights themselves: made for some queries at once.
    """
    log_odds = q.new_zeros(1, 1, 1, k.shape[-2]) if bias is None else bias.to(q)
    log_odds = log_odds.expand(-1, 1, q.shape[-2], -1)
    parts = []
    for few, odds in zip(q.split(QUERIES_AT_ONCE, -2), log_odds.split(QUERIES_AT_ONCE, -2)):
        weights, even = torch.softmax(few @ k.transpose(-1, -2) * scale + odds, -1), torch.softmax(odds, -1)
        parts.append((contrast * (weights - even) + even).clamp(0.0, 1.0) @ v)
    return torch.cat(parts, -2)


def attend_beside(
    own: SelfAttention, q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None, style_bias: float
) -> Tensor:
    """One softmax over own tokens, asked with the own queries `own.q`, and style's, asked with `q`; `style_bias` is
    added to the style's logits.

    Two kinds of queries in one kernel: the channels are laid side by side, [own.q, q] against [own.k, 0] and [0, k].
    """
    if own.q is q:
        both_q, both_k = q, torch.cat([own.k, k], -2)
    else:
        both_q = torch.cat([own.q, q], -1)
        both_k = torch.cat([F.pad(own.k, (0, k.shape[-1])), F.pad(k, (own.k.shape[-1], 0))], -2)
    # Only the difference counts: whichever side is lowered, so that no logit grows and loses digits.
    rows_bias = q.new_zeros(1, 1, 1, k.shape[-2]) if bias is None else bias.to(q)
    rows_bias = (rows_bias + max(min(style_bias, 0.0), -INFINITE_BIAS)).clamp_min(-INFINITE_BIAS)
    own_bias = q.new_full((*rows_bias.shape[:3], own.k.shape[-2]), -max(style_bias, 0.0))
    return attend(both_q, both_k, torch.cat([own.v, v], -2), torch.cat([own_bias, rows_bias], -1), own.scale)


def move_statistics(q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None, own: SelfAttention) -> Tensor:
    """Own values, normalized over the picture, with the mean and the deviation that the style's values have under each
    query's attention (AdaAttN, arXiv 2108.03647, eq. 4-6)."""
    mean = attend(q, k, v, bias, own.scale)
    deviation = (attend(q, k, v * v, bias, own.scale) - mean * mean).clamp_min(0.0).sqrt()
    spread = own.v.std(-2, keepdim=True, correction=min(1, own.v.shape[-2] - 1))  # one token alone has none
    normalized = (own.v - own.v.mean(-2, keepdim=True)) / (spread + 1e-5)
    return deviation * normalized + mean
