"""The latent generation starts from: content's, its channel statistics moved to the style's, or noise.

All in sigma space. AdaIN commutes with scaling both latents, so it is the same in the papers' scale.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from ..errors import UserError
from .features import mask_to_grid
from .statistics import match_statistics, mean_statistics
from .styles import Style

STARTS = ("content", "stochastic", "noise", "flowedit")


def channel_statistics(x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and (unbiased) standard deviation of each row and channel over space, [B, C, 1, 1] each."""
    return x.mean((-2, -1), keepdim=True), x.std((-2, -1), keepdim=True)


def adain(content: Tensor, styles: Sequence[Tensor], weights: Sequence[float], amount: float = 1.0) -> Tensor:
    """Content latents [B, C, h, w] with channel statistics moved by `amount` (0..1) towards the styles'.

    StyleID's initial latent AdaIN (arXiv 2312.09008, eq. 8) at amount 1. Mixing results by `amount` is the same as
    mixing the statistics (AttenST's 0.6 / 0.4, arXiv 2503.07307), since AdaIN is linear in them. Several styles
    [1, C, h, w]: their means and deviations are averaged by weight.
    Raises ValueError when `amount` is outside 0..1.
    """
    if not 0.0 <= amount <= 1.0:
        raise UserError(f"The AdaIN amount is {amount}; it must be between 0 (content's colors) and 1 (the style's).")
    if amount == 0.0:
        return content
    target = mean_statistics([channel_statistics(style) for style in styles], weights)
    moved = match_statistics(content, channel_statistics(content), target)
    return moved if amount == 1.0 else content + amount * (moved - content)


def toned(
    base: Tensor,
    styles: Sequence[Tensor],
    weights: Sequence[float],
    amount: float,
    places: Sequence[Tensor | None],
    place: Tensor | None = None,
) -> Tensor:
    """`adain`, each style within its own place of `places`, all of them within `place`.

    Places are masks [1 or B, H, W] in 0..1 at any resolution, or None for everywhere. Where two styles meet, their
    tones are mixed by weight and place; where none is, `base` stays.
    """
    if amount == 0.0:
        return base
    grid = (base.shape[-2], base.shape[-1])

    def on_grid(mask: Tensor) -> Tensor:
        return mask_to_grid(mask, grid).view(-1, 1, *grid).to(base)

    if all(style_place is None for style_place in places):
        moved, union = adain(base, styles, weights), None
    else:
        everywhere = base.new_ones(1, 1, *grid)
        masks = [everywhere if style_place is None else on_grid(style_place) for style_place in places]
        odds = [weight * mask for weight, mask in zip(weights, masks)]
        total = torch.stack([o.expand_as(base[:, :1]) for o in odds]).sum(0).clamp_min(1e-8)
        moved = torch.stack([(o / total) * adain(base, [style], [1.0]) for o, style in zip(odds, styles)]).sum(0)
        union = torch.stack([mask.expand_as(base[:, :1]) for mask in masks]).amax(0)
    if place is not None:
        union = on_grid(place) if union is None else union * on_grid(place)
    if union is None:
        return moved if amount == 1.0 else base + amount * (moved - base)
    return base + amount * union * (moved - base)


def start_tones(
    base: Tensor, styles: Sequence[Style], sigma: float, amount: float, place: Tensor | None = None
) -> Tensor:
    """The start latent `base` [B, C, h, w] at `sigma`, its tones moved by `amount` (0..1) to the styles', see `toned`.

    Nothing is cast: the styles' statistics come in their own dtype.
    """
    if amount == 0.0:
        return base
    style_latents = [style.process.statistics_at(sigma) for style in styles]
    weights, places = [style.weight for style in styles], [style.place for style in styles]
    return toned(base, style_latents, weights, amount, places, place)


def renoised(x: Tensor, noise: Tensor, sigma: float, amount: float) -> Tensor:
    """The start latent `x` [B, C, h, w] at `sigma` turned towards fresh unit `noise` by `amount` 0..1 of a right angle.

    cos * x + sin * sigma * noise: at a high noise level, where x is nearly sigma times its own noise, the variance
    stays. 0 returns x, 1 is noise alone.
    """
    if amount == 0.0:
        return x
    if amount == 1.0:
        return sigma * noise
    angle = 0.5 * math.pi * amount
    return math.cos(angle) * x + math.sin(angle) * sigma * noise


def damp_low_frequencies(x: Tensor, keep: float, noise: Tensor, cutoff: float = 0.3) -> Tensor:
    """`highpass(x) + keep * lowpass(x) + (1 - keep) * noise`, for latents [B, C, h, w]; keep 1 returns x.

    StyleSSP's start (arXiv 2501.11319, keep 0.7): less of the content's flat tones, so that the style finds room.
    `noise` is unit Gaussian and is scaled to the deviation of `x` here. Differs from the paper: it scales the noise to
    the latent's value range.
    Raises ValueError when `keep` is outside 0..1.
    """
    if not 0.0 <= keep <= 1.0:
        raise UserError(f"The share of low frequencies is {keep}; it must be between 0 and 1 (1 keeps the start).")
    if keep == 1.0:
        return x
    rows = torch.fft.fftfreq(x.shape[-2], device=x.device) * 2.0
    columns = torch.fft.fftfreq(x.shape[-1], device=x.device) * 2.0
    radius = rows[:, None] ** 2 + columns[None, :] ** 2
    low = torch.fft.ifft2(torch.fft.fft2(x.float()) * torch.exp(-radius / (2.0 * cutoff**2))).real
    noise = noise.to(x) * x.std((-3, -2, -1), keepdim=True)
    return x - low + keep * low + (1.0 - keep) * noise
