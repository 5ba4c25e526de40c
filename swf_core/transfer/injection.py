"""Attention injection: generation asks, with queries mixed from content, and style answers.

    Q = gamma * Q_content + (1 - gamma) * Q_generation
    injected = softmax(tau * Q K_style^T / sqrt(d)) V_style
    output = (1 - s) * own attention + s * injected

The reconstruction of arXiv 2506.15033, stage 3, from its nearest published relative, StyleID (arXiv 2312.09008,
eq. 5-7): gamma is its query preservation, tau its attention temperature, which *multiplies* the logits.
Tensors are [B, heads, tokens, d]; style rows are [1 or B, heads, style tokens, d]; nothing here knows a model.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import UserError
from .sigmas import travelled
from .statistics import Statistics, match_statistics, mean_statistics

GAMMA_SCHEDULES = ("constant", "linear", "cosine")
KV_MODES = ("replace", "concat", "adaattn")

# A log-bias beyond this is taken for infinite: exp(-1e4) is 0 in every dtype, and fp16 still holds it.
INFINITE_BIAS = 1e4


@dataclass(frozen=True)
class Injection:
    """Options of the injection.

    * layers: a preset or comma list, see `layers.choose_layers`.
    * gamma: 0..1, share of content's queries: 0 is pure style transfer, 1 keeps the content's questions.
      `gamma_end`: its value at the last step when `gamma_schedule` is "linear" or "cosine" (cosine 0.75 -> 0.375:
      Scheduled Style Injection, NTIRE 2026).
    * query_adain: 0..1, how far the mixed queries' channel statistics are moved to those of the style's own queries
      (StyleAligned, arXiv 2312.02133, AdaIN of Q): a photo's questions then fall where the style's keys are.
    * tau: > 0, multiplies the injected logits: above 1 sharpens.
    * strength: 0..1, s above. 0 is the plain model.
    * kv: "replace"; "concat": own and style tokens compete in one softmax (Z-STAR, arXiv 2311.16491, eq. 9), with
      `bias` added to the style's logits (-inf: plain, +inf: replace); "adaattn": style moves the mean and variance of
      the own values (AdaAttN, arXiv 2108.03647, eq. 4-6).
    * value_shift: 0..1, how far the style values' mean is moved to the mean of generation's own values: frees color
      for the text, which the style's values would pin otherwise.
    * sigma_low, sigma_high: noise levels between which anything is injected, ends included.

    Raises ValueError (UserError) when a value is outside its range.
    """

    layers: str = "all"
    gamma: float = 0.75
    gamma_end: float | None = None
    gamma_schedule: str = "constant"
    query_adain: float = 0.0
    tau: float = 1.5
    strength: float = 1.0
    kv: str = "replace"
    bias: float = 0.0
    value_shift: float = 0.0
    sigma_low: float = 0.0
    sigma_high: float = math.inf

    def __post_init__(self) -> None:
        _within("gamma", self.gamma, 0.0, 1.0)
        if self.gamma_end is not None:
            _within("gamma_end", self.gamma_end, 0.0, 1.0)
        _within("query_adain", self.query_adain, 0.0, 1.0)
        _within("strength", self.strength, 0.0, 1.0)
        _within("value_shift", self.value_shift, 0.0, 1.0)
        if not 0.0 < self.tau < math.inf:
            raise UserError(f"tau is {self.tau}; it must be above 0 (1 is plain attention, 1.5 is StyleID's).")
        if math.isnan(self.bias):
            raise UserError("bias is not a number; give a log-bias such as 0, or -inf, or inf.")
        if not 0.0 <= self.sigma_low <= self.sigma_high:
            raise UserError(
                f"The sigma window is {self.sigma_low} to {self.sigma_high}; give 0 <= sigma_low <= sigma_high."
            )
        if self.gamma_schedule not in GAMMA_SCHEDULES:
            raise UserError(f"Gamma schedule {self.gamma_schedule!r} is unknown; use {', '.join(GAMMA_SCHEDULES)}.")
        if self.kv not in KV_MODES:
            raise UserError(f"K/V mode {self.kv!r} is unknown; use {', '.join(KV_MODES)}.")

    def gamma_at(self, progress: float) -> float:
        """gamma at `progress`, 0 at the first step of the schedule and 1 at the last."""
        end = self.gamma if self.gamma_end is None or self.gamma_schedule == "constant" else self.gamma_end
        share = progress if self.gamma_schedule == "linear" else 0.5 - 0.5 * math.cos(math.pi * progress)
        return self.gamma + (end - self.gamma) * share

    def gamma_at_sigma(self, sigma: float, table: Tensor, first: float, last: float) -> float:
        """gamma at the noise level `sigma` of a run from `first` to `last`; `table`: the model's sigmas."""
        return self.gamma_at(travelled(table, sigma, first, last))

    def active(self, sigma: float) -> bool:
        """Whether anything is injected at this noise level."""
        plain = self.strength == 0.0 or (self.kv == "concat" and self.bias <= -INFINITE_BIAS)
        return not plain and self.sigma_low <= sigma <= self.sigma_high

    @property
    def needs_content(self) -> bool:
        """Whether content's queries are read at any step."""
        return max(self.gamma_at(0.0), self.gamma_at(1.0)) > 0.0


@dataclass(frozen=True)
class StyleRows:
    """Keys and values of one style picture at one layer, its weight, and which tokens may be read.

    `readable`: [style tokens] in 0..1, or None for all; 0 hides a token, 0.5 halves its odds. `q`: the style's own
    queries, only read by `query_adain`. `place`: [1 or B, N] in 0..1, where in the result this style counts among the
    others, or None for everywhere.
    """

    k: Tensor
    v: Tensor
    weight: float = 1.0
    readable: Tensor | None = None
    q: Tensor | None = None
    place: Tensor | None = None


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


def inject(
    own: SelfAttention,
    q_content: Tensor | None,
    styles: Sequence[StyleRows],
    options: Injection,
    *,
    gamma: float,
    place: Tensor | None = None,
) -> Tensor:
    """The attention output of generation's rows, [B, heads, N, d].

    `q_content` [B, heads, N, d] may be None when gamma is 0. `gamma` is the schedule's value at this step.
    `place` [1 or B, N] in 0..1 says where any style goes; elsewhere, and where no style has its
    own place, attention stays own. Several styles share one softmax; each has the odds of its weight and place,
    whatever its number of tokens. (AdaIN-like averaging of outputs would blur strokes of different styles together.)
    """
    s = options.strength
    if s == 0.0:
        return own.output()
    q = mixed_queries(own.q, q_content, gamma)
    if options.query_adain > 0.0:
        q = q + options.query_adain * (_like_style(q, styles) - q)
    q = q * options.tau  # tau * (Q K^T) folded into Q, so that any attention kernel will do
    k, v, bias = _gather(styles, own, options.value_shift)
    if options.kv == "adaattn":
        injected = _adaattn(q, k, v, bias, own)
    elif options.kv == "concat" and options.bias < INFINITE_BIAS:
        injected = _concat(own, q, k, v, bias, options.bias)
    else:
        injected = _attend(q, k, v, bias, own.scale)
    place = _union(styles, place)
    if s == 1.0 and place is None:
        return injected
    plain = own.output()
    amount = s if place is None else s * place.to(plain)[:, None, :, None]  # [1 or B, 1, N, 1]
    return plain + amount * (injected - plain)


def mixed_queries(q_generation: Tensor, q_content: Tensor | None, gamma: float) -> Tensor:
    """Query preservation: gamma * Q_content + (1 - gamma) * Q_generation. Raises ValueError where content's lack."""
    if gamma == 0.0:
        return q_generation
    if q_content is None:
        raise ValueError("gamma is above 0, and there are no queries of a content.")
    return gamma * q_content + (1.0 - gamma) * q_generation


def _union(styles: Sequence[StyleRows], place: Tensor | None) -> Tensor | None:
    """Where anything goes: the common place within the union of the styles' own."""
    union: Tensor | None = None
    for style in styles:
        if style.weight == 0.0:
            continue
        if style.place is None:
            return place
        union = style.place if union is None else torch.maximum(union, style.place.to(union))
    if union is None or place is None:
        return place if union is None else union
    return union * place.to(union)


def _like_style(q: Tensor, styles: Sequence[StyleRows]) -> Tensor:
    """AdaIN(Q, Q_style): each head's channels take the mean and deviation over tokens of the styles' own queries."""
    parts = []
    for style in styles:
        if style.q is None:
            raise ValueError("query_adain reads the styles' own queries, and a style has none.")
        readable = torch.ones(style.q.shape[-2]) if style.readable is None else style.readable.float().cpu()
        parts.append(_statistics(style.q.to(q), (readable / readable.sum()).to(q)))
    own = _statistics(q, q.new_full((q.shape[-2],), 1.0 / q.shape[-2]))
    return match_statistics(q, own, mean_statistics(parts, [style.weight for style in styles]))


def _statistics(tokens: Tensor, share: Tensor) -> Statistics:
    """Weighted mean and deviation over tokens, [B, heads, 1, d] each; `share` [tokens] sums to 1."""
    share = share[:, None]
    mean = (tokens * share).sum(-2, keepdim=True)
    return mean, ((tokens - mean).square() * share).sum(-2, keepdim=True).sqrt()


def _attend(q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None, scale: float) -> Tensor:
    mask = None if bias is None else bias.to(q).expand(-1, 1, q.shape[-2], -1)
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask, scale=scale)


def _gather(
    styles: Sequence[StyleRows], own: SelfAttention, value_shift: float
) -> tuple[Tensor, Tensor, Tensor | None]:
    """All styles side by side, expanded to generation's batch, with a log-bias per token where one is needed.

    The bias is [1 or B, 1, 1 or N, tokens].
    """
    used = [style for style in styles if style.weight > 0.0]
    if not used:
        raise UserError("All style weights are 0; give at least one style a weight above 0.")
    rows = own.q.shape[0]
    k = torch.cat([style.k.to(own.q).expand(rows, -1, -1, -1) for style in used], -2)
    values, biases = [], []
    for style in used:
        v = style.v.to(own.q).expand(rows, -1, -1, -1)
        if value_shift > 0.0:
            v = v + value_shift * (own.v.mean(-2, keepdim=True) - v.mean(-2, keepdim=True))
        values.append(v)
        readable = torch.ones(style.k.shape[-2]) if style.readable is None else style.readable.float().cpu()
        # odds of a style = its weight: its tokens share it, so a larger picture has no louder voice
        odds = (style.weight * readable / readable.sum().clamp_min(1e-12))[None, None, None]
        if style.place is not None and len(used) > 1:
            odds = odds * style.place.float().cpu()[:, None, :, None]
        biases.append(odds.log().clamp_min(-INFINITE_BIAS))
    if len(used) == 1 and used[0].readable is None:
        return k, torch.cat(values, -2), None
    size = torch.broadcast_shapes(*(bias.shape[:3] for bias in biases))
    bias = torch.cat([bias.expand(*size, -1) for bias in biases], -1)
    bias = (bias - bias.amax(-1, keepdim=True)).clamp_min(-INFINITE_BIAS)  # a constant changes nothing in a softmax
    return k, torch.cat(values, -2), bias.to(own.q.device)


def _concat(own: SelfAttention, q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None, style_bias: float) -> Tensor:
    """One softmax over own tokens, asked with generation's own queries, and style's, asked with the mixed ones.

    Two kinds of queries in one kernel: the channels are laid side by side, [own.q, q] against [own.k, 0] and [0, k].
    """
    both_q = torch.cat([own.q, q], -1)
    both_k = torch.cat([F.pad(own.k, (0, k.shape[-1])), F.pad(k, (own.k.shape[-1], 0))], -2)
    # Only the difference counts: whichever side is lowered, so that no logit grows and loses digits.
    rows_bias = q.new_zeros(1, 1, 1, k.shape[-2]) if bias is None else bias.to(q)
    rows_bias = (rows_bias + max(min(style_bias, 0.0), -INFINITE_BIAS)).clamp_min(-INFINITE_BIAS)
    own_bias = q.new_full((*rows_bias.shape[:3], own.k.shape[-2]), -max(style_bias, 0.0))
    return _attend(both_q, both_k, torch.cat([own.v, v], -2), torch.cat([own_bias, rows_bias], -1), own.scale)


def _adaattn(q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None, own: SelfAttention) -> Tensor:
    mean = _attend(q, k, v, bias, own.scale)
    deviation = (_attend(q, k, v * v, bias, own.scale) - mean * mean).clamp_min(0.0).sqrt()
    normalized = (own.v - own.v.mean(-2, keepdim=True)) / (own.v.std(-2, keepdim=True) + 1e-5)
    return deviation * normalized + mean


def _within(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise UserError(f"{name} is {value}; it must be between {low:g} and {high:g}.")
