"""The embedded features: fixed random filters, which need no weights and are trained on nothing.

Random convolutions describe texture (Ustyuzhaninov et al., 2016); nothing can be tuned to them by accident.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import torch
from torch import Tensor
from torch.nn import functional as F

from .layer_names import check_layers

SEED = 20250617
SCALES = 3


@cache
def _filters() -> tuple[tuple[Tensor, Tensor], ...]:
    """Two layers of random zero-mean filters."""
    g = torch.Generator().manual_seed(SEED)
    layers = []
    for width_in, width_out, side in ((3, 48, 7), (48, 96, 5)):
        w = torch.randn((width_out, width_in, side, side), generator=g)
        w = w - w.mean((2, 3), keepdim=True) * (1 if width_in == 3 else 0)
        w = w / w.flatten(1).norm(dim=1)[:, None, None, None]
        layers.append((w, 0.1 * torch.randn(width_out, generator=g)))
    return tuple(layers)


@torch.no_grad()
def random_features(pictures: Tensor) -> list[Tensor]:
    """Features [B, C, h, w] of both layers at three scales, for pictures [B, 3, H, W]."""
    return _random_features(pictures)


def _random_features(pictures: Tensor) -> list[Tensor]:
    out = []
    x = pictures.float() * 2 - 1
    for _ in range(SCALES):
        y = x
        for weight, bias in _filters():
            y = F.relu(F.conv2d(F.pad(y, (weight.shape[-1] // 2,) * 4, mode="reflect"), weight, bias))
            out.append(y)
            y = F.avg_pool2d(y, 2)
        x = F.avg_pool2d(x, 2)
    return out


class RandomFeatures:
    """The same by `Features`: layers "scale1_1" (48 channels, full size) to "scale3_2" (96, an eighth)."""

    name = "embedded random filters (no trained weights)"
    layers = tuple(f"scale{scale}_{layer}" for scale in range(1, SCALES + 1) for layer in (1, 2))
    style_layers = layers
    content_layer = "scale3_2"

    def extract(self, pictures: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
        """See `Features.extract`; pictures are brought to -1..1."""
        check_layers(layers, self.layers)
        found = dict(zip(self.layers, _random_features(pictures), strict=True))
        return {layer: found[layer] for layer in layers}
