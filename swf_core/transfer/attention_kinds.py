"""The ways in which a query reads other keys and values than its own: in their place, beside them, as statistics.

Tensors are [B, heads, tokens, d]; a bias is [1 or B, 1, 1 or N, tokens], the log of each token's odds.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ..models.contracts import JointTokens
from .token_sets import TokenSet, attend, even_odds

# A matrix of attention weights is held for so many queries at a time: 512 x 4096 tokens x 8 heads are 64 MiB.
QUERIES_AT_ONCE = 512


@dataclass(frozen=True, eq=False)
class SelfAttention:
    """Generation's own self-attention at one layer: q, k, v [B, heads, N, d] and the model's `scale`, 1/sqrt(d).

    `joint`: what is read beside in a transformer, whose q and k have no place yet.
    """

    q: Tensor
    k: Tensor
    v: Tensor
    scale: float
    joint: JointTokens | None = None

    def output(self) -> Tensor:
        """What it returns without injection."""
        if self.joint is None:
            return F.scaled_dot_product_attention(self.q, self.k, self.v, scale=self.scale)
        k, v = torch.cat([self.joint.k, self.place(self.k)], -2), torch.cat([self.joint.v, self.v], -2)
        bias = None if self.joint.bias is None else F.pad(self.joint.bias, (0, self.k.shape[-2]))
        return attend(self.place(self.q), k, v, bias, self.scale)

    def place(self, x: Tensor) -> Tensor:
        """Queries or keys of the picture's own tokens at their places."""
        return x if self.joint is None else self.joint.place(x)


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


def own_tokens(own: SelfAttention, q: Tensor, style_bias: float) -> TokenSet:
    """Own tokens, asked with `q` at its place, to compete with the style's, whose logits `style_bias` is added to.

    Only the difference counts: whichever side is lowered (`TokenSet.raised` for the style's), so that no logit grows
    and loses digits.
    """
    return TokenSet(q, own.place(own.k), own.v, even_odds(own.k)).raised(-max(style_bias, 0.0))


def move_statistics(q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None, own: SelfAttention) -> Tensor:
    """Own values, normalized over the picture, with the mean and the deviation that the style's values have under each
    query's attention (AdaAttN, arXiv 2108.03647, eq. 4-6)."""
    mean = attend(q, k, v, bias, own.scale)
    deviation = (attend(q, k, v * v, bias, own.scale) - mean * mean).clamp_min(0.0).sqrt()
    spread = own.v.std(-2, keepdim=True, correction=min(1, own.v.shape[-2] - 1))  # one token alone has none
    normalized = (own.v - own.v.mean(-2, keepdim=True)) / (spread + 1e-5)
    return deviation * normalized + mean
