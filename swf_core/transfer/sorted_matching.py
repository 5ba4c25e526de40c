"""Exact histogram matching of values by sorting: own values take the distribution of a style's, channel by channel.

The k-th smallest of N own values becomes the style's k-th smallest: in one dimension that is the optimal transport to
the style's histogram, where AdaIN moves mean and deviation alone ("scattersort" of RES4LYF; the matching is that of
exact histogram specification, Coltuc et al., IEEE TIP 2006). Where the style has another number of tokens, or tokens
that count by halves, its sorted values are read in between: at the same share of all tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class StyleValues:
    """Values [1 or B, heads, M, d] of one style, with its weight above 0, which tokens may be read, [M] in 0..1, and
    where it goes, [1 or B, N] in 0..1; None for all and for everywhere."""

    v: Tensor
    weight: float = 1.0
    readable: Tensor | None = None
    place: Tensor | None = None


def match_values(own: Tensor, styles: Sequence[StyleValues]) -> Tensor:
    """Own values [B, heads, N, d] with the styles' distributions in each channel of a head.

    Each style is matched to the tokens of its own place. Where several count, their matched values are averaged by
    weight and place, so that sorted values are averaged and not laid side by side: a Wasserstein barycenter of the
    histograms, as means and deviations are averaged elsewhere. Where no style counts, values stay own.
    """
    if len(styles) == 1 and styles[0].place is None:
        return match_sorted(own, styles[0].v.to(own), styles[0].readable)
    mixed, total = torch.zeros_like(own), own.new_zeros(1, 1, own.shape[-2], 1)
    for style in styles:
        place = own.new_ones(1, own.shape[-2]) if style.place is None else style.place.to(own)
        odds = style.weight * place[:, None, :, None]
        mixed = mixed + odds * match_sorted(own, style.v.to(own), style.readable, style.place)
        total = total + odds
    return torch.where(total > 0.0, mixed / total.clamp_min(torch.finfo(own.dtype).tiny), own)


def match_sorted(own: Tensor, style: Tensor, readable: Tensor | None = None, place: Tensor | None = None) -> Tensor:
    """Own values [B, heads, N, d], each replaced by the style's value [1 or B, heads, M, d] at the same share of all,
    channel by channel; see `StyleValues` for `readable` and `place`, by which tokens count."""
    order = own.argsort(dim=-2, stable=True)
    count = own.shape[-2]
    if place is None:
        shares: Tensor = (torch.arange(count, dtype=torch.float64) + 0.5) / count
    else:
        shares = _shares(place.to(own.device).float()[:, None, :, None].expand(*own.shape).gather(-2, order))
    sorted_values = _quantiles(style, readable, shares)
    return torch.empty_like(own).scatter_(-2, order, sorted_values.expand_as(own))


def _shares(weights: Tensor) -> Tensor:
    """Of sorted tokens, [.., N, d] by weight: the share of all weight that lies below the middle of each."""
    below = weights.cumsum(-2)
    return (below - 0.5 * weights) / below[..., -1:, :].clamp_min(1e-12)


def _quantiles(values: Tensor, readable: Tensor | None, shares: Tensor) -> Tensor:
    """Values [B, heads, M, d] read at `shares` of all their tokens, [N] for all channels, or [B, heads, N, d] for each:
    [B, heads, N, d]; linear between the middles of two tokens, held beyond the first and the last."""
    weights = None
    if readable is not None:
        readable = readable.to(values.device).float()
        shown = readable > 0.0  # else a hidden value would be read between two others
        if bool(shown.any()):  # where none may be read, attention reads all alike, too
            values, weights = values[:, :, shown], readable[shown]
    ordered, order = values.sort(dim=-2, stable=True)
    count = values.shape[-2]
    if weights is None or bool((weights == weights[0]).all()):
        position = (shares * count - 0.5).clamp(0.0, count - 1.0)
    else:
        middles = _shares(weights[None, None, :, None].expand_as(ordered).gather(-2, order))
        position = _position(middles, shares.to(middles))
    low = position.floor()
    between = (position - low).to(ordered)
    below = low.long().to(ordered.device)
    above = (below + 1).clamp_max(count - 1)
    if below.dim() == 1:
        return torch.lerp(ordered[:, :, below], ordered[:, :, above], between[:, None])
    ordered = ordered.expand(below.shape[0], -1, -1, -1)
    below, above, between = (part.expand(ordered.shape[0], -1, -1, -1) for part in (below, above, between))
    return torch.lerp(ordered.gather(-2, below), ordered.gather(-2, above), between)


def _position(middles: Tensor, shares: Tensor) -> Tensor:
    """Where `shares`, [N] or [B, heads, N, d], lie among rising `middles` [.., M, d]: index and fraction as one number,
    [.., N, d] float64 in 0..M-1."""
    if shares.dim() == 1:
        shares = shares[:, None].expand(*middles.shape[:-2], -1, middles.shape[-1])
    size = torch.broadcast_shapes(middles.shape[:2], shares.shape[:2])
    rows, asked = (part.expand(*size, -1, -1).transpose(-1, -2).contiguous() for part in (middles, shares))
    last = rows.shape[-1] - 1
    right = torch.searchsorted(rows, asked).clamp(min(1, last), last)
    left = (right - 1).clamp_min(0)
    start, end = rows.gather(-1, left), rows.gather(-1, right)
    fraction = ((asked - start) / (end - start).clamp_min(1e-12)).clamp(0.0, 1.0)
    return (left + fraction).transpose(-1, -2)
