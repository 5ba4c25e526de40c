"""Style and content between pictures, by any features."""

from __future__ import annotations

import torch
from torch import Tensor

from .contract import Features


def gram(features: Tensor) -> Tensor:
    """Gram matrices [B, C, C] of features [B, C, h, w], divided by the number of places (Gatys et al., 2016)."""
    flat = features.flatten(2)
    return flat @ flat.transpose(1, 2) / flat.shape[-1]


def relative_gram_distance(a: Tensor, b: Tensor) -> Tensor:
    """|A - B| / sqrt(|A| |B|), Frobenius norms of Gram matrices [B, C, C]; [B], 0 for the same, no upper end."""
    norms = a.flatten(1).norm(dim=1) * b.flatten(1).norm(dim=1)
    return (a - b).flatten(1).norm(dim=1) / norms.sqrt().clamp_min(1e-12)


@torch.no_grad()
def style_distance(features: Features, a: Tensor, b: Tensor) -> Tensor:
    """Mean of `relative_gram_distance` over the style layers for pictures [B, 3, H, W], [B].

    The pictures may differ in size: Gram matrices know no places. A layer counts as much as any other, whatever its
    numbers; Gatys et al. sum squares instead.
    """
    one, other = (features.extract(each, features.style_layers) for each in (a, b))
    parts = [relative_gram_distance(gram(one[layer]), gram(other[layer])) for layer in features.style_layers]
    return torch.stack(parts).mean(0)


@torch.no_grad()
def content_distance(features: Features, result: Tensor, content: Tensor) -> Tensor:
    """|F(result) - F(content)| / |F(content)| at the content layer, [B], for pictures [B, 3, H, W] of one size."""
    layer = features.content_layer
    one, other = (features.extract(each, (layer,))[layer].flatten(1) for each in (result, content))
    return (one - other).norm(dim=1) / other.norm(dim=1).clamp_min(1e-12)
