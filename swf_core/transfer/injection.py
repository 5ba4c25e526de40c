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
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..errors import UserError
from .attention_kinds import SelfAttention, attend_with_contrast, move_statistics, own_tokens
from .injection_options import GAMMA_SCHEDULES, INFINITE_BIAS, KV_MODES, OWN_KEYS, READS, Injection
from .rope import KeyPositions
from .sorted_matching import StyleValues, match_values
from .statistics import Statistics, match_statistics, mean_statistics
from .token_sets import TokenSet, as_many_as, attend_sets, even_odds, side_by_side

__all__ = ["GAMMA_SCHEDULES", "KV_MODES", "READS", "Injection", "SelfAttention", "StyleRows", "inject", "mixed_queries"]


@dataclass(frozen=True)
class StyleRows:
    """Keys and values of one style picture at one layer, its weight, and which tokens may be read.

    `readable`: [style tokens] in 0..1, or None for all; 0 hides a token, 0.5 halves its odds. `q`: the style's own
    queries, only read by `query_adain`. `place`: [1 or B, N] in 0..1, where in the result this style counts among the
    others, or None for everywhere. `positions`: where its keys stand, in a network with rotary positions; `k` has none.
    """

    k: Tensor
    v: Tensor
    weight: float = 1.0
    readable: Tensor | None = None
    q: Tensor | None = None
    place: Tensor | None = None
    positions: KeyPositions | None = None

    def placed_keys(self) -> Tensor:
        """Its keys where they stand."""
        return self.k if self.positions is None else self.positions.place(self.k)


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
        q = q + options.query_adain * (_like_style(q, styles, "q") - q)
    q = q * options.tau  # tau * (Q K^T) folded into Q, so that any attention kernel will do
    injected = _injected(own, q, styles, options)
    place = _union(styles, place)
    if s == 1.0 and place is None:
        return injected
    plain = own.output()
    amount = s if place is None else s * place.to(plain)[:, None, :, None]  # [1 or B, 1, N, 1]
    return plain + amount * (injected - plain)


def _injected(own: SelfAttention, q: Tensor, styles: Sequence[StyleRows], options: Injection) -> Tensor:
    """What the query `q`, tau included and without a place yet, reads."""
    beside_own = options.kv in OWN_KEYS and options.bias < INFINITE_BIAS
    if beside_own and options.key_adain > 0.0:  # before keys are placed: the two do not commute
        own = replace(own, k=own.k + options.key_adain * (_like_style(own.k, styles, "k") - own.k))
    placed = own.place(q)
    if options.kv == "scatter_sort":
        return _read_sorted(own, placed, styles, options.value_shift)
    sets = _token_sets(styles, own, (placed, q), options.value_shift)
    if options.kv == "adaattn" or options.contrast > 1.0:
        if own.joint is not None:
            others = "replace, concat, shared or scatter_sort"
            raise UserError(f"kv 'adaattn' and contrast are for UNets; on a transformer use {others}.")
        q, k, v, bias = side_by_side(sets)
        if options.kv == "adaattn":
            return move_statistics(q, k, v, bias, own)
        return attend_with_contrast(q, k, v, bias, own.scale, options.contrast)
    own_q = own.place(own.q)
    if beside_own:
        lowered = max(min(options.bias, 0.0), -INFINITE_BIAS)
        asked = placed if options.kv == "shared" else own_q
        sets = [own_tokens(own, asked, options.bias), *(style.raised(lowered) for style in sets)]
    if own.joint is not None and not beside_own:
        sets = as_many_as(sets, own.k.shape[-2])
    return attend_sets([*_text_set(own, own_q), *sets], own.scale)


def _text_set(own: SelfAttention, q: Tensor) -> list[TokenSet]:
    """The text beside a picture, where there is any, read by the picture's own question as without any injection."""
    if own.joint is None or own.joint.k.shape[-2] == 0:
        return []
    return [TokenSet(q, own.joint.k, own.joint.v, even_odds(q), own.joint.bias)]


def _read_sorted(own: SelfAttention, q: Tensor, styles: Sequence[StyleRows], value_shift: float) -> Tensor:
    """Own values with the styles' histograms, read at own keys by the placed query `q`.

    Values are matched, not what attention returns: both sides are then the same kind of thing, and attention over them
    averages as ever. What attention returns is an average already, and would be given a spread that no average has.
    """
    values = [
        StyleValues(_shifted(style.v.to(own.v), own.v, value_shift), style.weight, style.readable, style.place)
        for style in _used(styles)
    ]
    own = replace(own, v=match_values(own.v, values))
    return attend_sets([*_text_set(own, own.place(own.q)), own_tokens(own, q, 0.0)], own.scale)


def _used(styles: Sequence[StyleRows]) -> list[StyleRows]:
    """Those whose weight is above 0. Raises ValueError (UserError) where there is none."""
    used = [style for style in styles if style.weight > 0.0]
    if not used:
        raise UserError("All style weights are 0; give at least one style a weight above 0.")
    return used


def _shifted(v: Tensor, own: Tensor, amount: float) -> Tensor:
    """Style values whose mean is moved by `amount` to that of own values."""
    return v if amount == 0.0 else v + amount * (own.mean(-2, keepdim=True) - v.mean(-2, keepdim=True))


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


def _like_style(x: Tensor, styles: Sequence[StyleRows], part: str) -> Tensor:
    """AdaIN(X, X_style): each head's channels take the mean and deviation over tokens of the styles' own part, "q" or
    "k"."""
    parts = []
    for style in styles:
        tokens = getattr(style, part)
        if tokens is None:
            raise ValueError("query_adain reads the styles' own queries, and a style has none.")
        readable = torch.ones(tokens.shape[-2]) if style.readable is None else style.readable.float().cpu()
        parts.append(_statistics(tokens.to(x), (readable / readable.sum()).to(x)))
    own = _statistics(x, x.new_full((x.shape[-2],), 1.0 / x.shape[-2]))
    return match_statistics(x, own, mean_statistics(parts, [style.weight for style in styles]))


def _statistics(tokens: Tensor, share: Tensor) -> Statistics:
    """Weighted mean and deviation over tokens, [B, heads, 1, d] each; `share` [tokens] sums to 1."""
    share = share[:, None]
    mean = (tokens * share).sum(-2, keepdim=True)
    return mean, ((tokens - mean).square() * share).sum(-2, keepdim=True).sqrt()


def _token_sets(
    styles: Sequence[StyleRows], own: SelfAttention, queries: tuple[Tensor, Tensor], value_shift: float
) -> list[TokenSet]:
    """The styles' tokens, expanded to generation's batch and asked with the first of `queries`, or, where keys have no
    place, with the second, which has none either; with their odds.

    The odds of a style are its weight: its tokens share it, so a larger picture has no louder voice. They are those of
    the likeliest token to be 1, and so that of a style alone whose every token is read.
    """
    used = _used(styles)
    rows, sets = own.q.shape[0], []
    for style in used:
        q = queries[1] if style.positions is not None and style.positions.ids is None else queries[0]
        k, v = (part.to(own.q).expand(rows, -1, -1, -1) for part in (style.placed_keys(), style.v))
        v = _shifted(v, own.v, value_shift)
        odds, bias, readable = even_odds(q) + math.log(style.weight), None, style.readable
        if readable is not None:
            readable = readable.to(q)
            bias = readable.log().clamp_min(-INFINITE_BIAS)[None, None, None]
        counted = style.k.shape[-2] if readable is None else float(readable.sum())
        if style.place is not None and len(used) > 1:
            odds = odds + style.place.to(q)[:, None, :, None].log()
        sets.append(TokenSet(q, k, v, odds, bias).raised(-math.log(max(counted, 1e-12))))
    likeliest = sets[0].likeliest()
    for tokens in sets[1:]:
        likeliest = torch.maximum(likeliest, tokens.likeliest())
    return [tokens.raised(-likeliest) for tokens in sets]
