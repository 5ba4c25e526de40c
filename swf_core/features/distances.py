"""Style and content between pictures, by any features."""

from __future__ import annotations

from collections.abc import Sequence

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


def style_distance(features: Features, result: Tensor, style: Tensor) -> Tensor:
    """|G(result) - G(style)| / |G(style)| of Gram matrices, mean over the style layers, for pictures [B, 3, H, W]; [B].

    0 for the style picture, 1 for a gray one, no upper end. The pictures may differ in size: Gram matrices know no
    places. A layer counts as much as any other, whatever its numbers; Gatys et al. sum squares instead.
    """
    return style_between(style_grams(features, result), style_grams(features, style))


@torch.no_grad()
def style_grams(features: Features, pictures: Tensor) -> list[Tensor]:
    """Gram matrices [B, C, C] of pictures [B, 3, H, W] at the style layers."""
    found = features.extract(pictures, features.style_layers)
    return [gram(found[layer]) for layer in features.style_layers]


def style_between(result: Sequence[Tensor], style: Sequence[Tensor]) -> Tensor:
    """`style_distance` of two lists of `style_grams`."""
    return torch.stack([_relative(a, b) for a, b in zip(result, style, strict=True)]).mean(0)


def content_distance(features: Features, result: Tensor, content: Tensor) -> Tensor:
    """|F(result) - F(content)| / |F(content)| at the content layer, [B], for pictures [B, 3, H, W] of one size."""
    return content_between(content_features(features, result), content_features(features, content))


@torch.no_grad()
def content_features(features: Features, pictures: Tensor) -> Tensor:
    """Features [B, C, h, w] of pictures [B, 3, H, W] at the content layer."""
    return features.extract(pictures, (features.content_layer,))[features.content_layer]


def content_between(result: Tensor, content: Tensor) -> Tensor:
    """`content_distance` of two `content_features`."""
    return _relative(result, content)


def _relative(a: Tensor, b: Tensor) -> Tensor:
    """|a - b| / |b|, Frobenius norms, [B]."""
    return (a - b).flatten(1).norm(dim=1) / b.flatten(1).norm(dim=1).clamp_min(1e-12)
