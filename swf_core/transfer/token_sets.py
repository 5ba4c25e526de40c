"""Attention over several sets of tokens in one softmax: each set by a kernel of its own, put together by log-sum-exp.

With o_i the attention over set i alone and l_i the log-sum-exp of its logits, the softmax over all sets is
sum_i w_i o_i with w = softmax_i(l_i + odds_i) (the merge of FlashAttention's blocks, arXiv 2205.14135, algorithm 1). So
no set is copied beside another, each may be asked with queries of its own, and odds of a whole set need no mask.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from .injection_options import INFINITE_BIAS


@dataclass(frozen=True, eq=False)
class TokenSet:
    """Keys and values [B, heads, M, d], and the queries [B, heads, N, d] that ask them.

    odds: log-odds of the whole set, [1 or B, 1, 1 or N, 1]. bias: log-odds of each token, [1 or B, 1, 1, M]; None for
    equal ones.
    """

    q: Tensor
    k: Tensor
    v: Tensor
    odds: Tensor
    bias: Tensor | None = None

    def likeliest(self) -> Tensor:
        """The log-odds of its likeliest token, like `odds`."""
        return self.odds if self.bias is None else self.odds + self.bias.amax(-1, keepdim=True)

    def log_odds(self) -> Tensor:
        """The log-odds of every token, [1 or B, 1, 1 or N, M]."""
        return self.odds.expand(*self.odds.shape[:3], self.k.shape[-2]) if self.bias is None else self.odds + self.bias

    def raised(self, amount: Tensor | float) -> TokenSet:
        """The same with `amount` added to its odds."""
        return replace(self, odds=(self.odds + amount).clamp_min(-INFINITE_BIAS))


def even_odds(like: Tensor) -> Tensor:
    """Odds of a set whose tokens count one each."""
    return torch.zeros(1, 1, 1, 1, device=like.device)


def as_many_as(sets: Sequence[TokenSet], count: int) -> list[TokenSet]:
    """The same, all raised so that together they weigh as much as `count` tokens of even odds: what is read beside them
    then keeps its weight, however many they are."""
    totals = [tokens.log_odds().logsumexp(-1, keepdim=True) for tokens in sets]
    together = torch.cat(torch.broadcast_tensors(*totals), -1).logsumexp(-1, keepdim=True)
    return [tokens.raised(math.log(count) - together) for tokens in sets]


def attend_sets(sets: Sequence[TokenSet], scale: float) -> Tensor:
    """One softmax over all sets, [B, heads, N, d]: by log-sum-exp where an operator gives it, else in one kernel."""
    if len(sets) == 1:
        return _attend(sets[0], scale)
    if gives_log_sum_exp(sets[0].q):
        return attend_merged(sets, scale)
    q, k, v, bias = side_by_side(sets)
    return attend(q, k, v, bias, scale)


def gives_log_sum_exp(q: Tensor) -> bool:
    """Whether torch has an operator here that returns the log-sum-exp: its flash attention for processors.

    That operator has no gradient of the log-sum-exp, so a training takes the other way; so does a GPU, whose operators
    each have their own limits of type and shape.
    """
    known = hasattr(torch.ops.aten, "_scaled_dot_product_flash_attention_for_cpu")
    return known and q.device.type == "cpu" and not (torch.is_grad_enabled() and q.requires_grad)


def attend_merged(sets: Sequence[TokenSet], scale: float) -> Tensor:
    """The softmax over all sets from that over each. Needs `gives_log_sum_exp`."""
    outputs, logs = zip(*(_with_log_sum_exp(tokens, scale) for tokens in sets))
    odds = [log[..., None] + tokens.odds.to(log) for log, tokens in zip(logs, sets)]  # [B, heads, N, 1]
    weights = torch.softmax(torch.cat(torch.broadcast_tensors(*odds), -1), -1).to(outputs[0])
    merged = outputs[0] * weights[..., :1]
    for index, output in enumerate(outputs[1:], 1):
        merged.addcmul_(output, weights[..., index : index + 1])
    return merged


def side_by_side(sets: Sequence[TokenSet]) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
    """All sets as one: q, k, v and a bias [1 or B, 1, 1 or N, tokens] for a single softmax; None where all count alike.

    Where sets are asked with different queries, those are laid side by side along the channels, [q1, q2] against
    [k1, 0] and [0, k2].
    """
    if len(sets) == 1:
        return sets[0].q, sets[0].k, sets[0].v, sets[0].bias
    queries = list({id(tokens.q): tokens.q for tokens in sets}.values())
    keys, width = [], sets[0].q.shape[-1]
    for tokens in sets:
        at = next(i for i, q in enumerate(queries) if q is tokens.q)
        keys.append(F.pad(tokens.k, (at * width, (len(queries) - 1 - at) * width)))
    odds = [tokens.log_odds() for tokens in sets]
    size = torch.broadcast_shapes(*(each.shape[:3] for each in odds))
    bias = torch.cat([each.expand(*size, -1) for each in odds], -1)
    bias = (bias - bias.amax(-1, keepdim=True)).clamp_min(-INFINITE_BIAS)  # a constant changes nothing in a softmax
    return torch.cat(queries, -1), torch.cat(keys, -2), torch.cat([tokens.v for tokens in sets], -2), bias


def attend(q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None, scale: float) -> Tensor:
    """Attention with a bias [1 or B, 1, 1 or N, tokens] on its logits, None for none."""
    mask = None if bias is None else bias.to(q).expand(-1, 1, q.shape[-2], -1)
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask, scale=scale)


def _attend(tokens: TokenSet, scale: float) -> Tensor:
    return attend(tokens.q, tokens.k, tokens.v, tokens.bias, scale)


def _with_log_sum_exp(tokens: TokenSet, scale: float) -> tuple[Tensor, Tensor]:
    """The attention over one set, [B, heads, N, d], and the log-sum-exp of its logits, [B, heads, N] float32."""
    q, mask = tokens.q, None
    if tokens.bias is not None:
        mask = tokens.bias.to(q).expand(-1, -1, q.shape[-2], -1)
    return torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(
        q, tokens.k, tokens.v, 0.0, False, attn_mask=mask, scale=scale
    )
