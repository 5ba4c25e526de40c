"""Two distances to the truth: Gram matrices of fixed random features (texture), and a low-pass (color, layout).

Neither needs downloaded weights and neither is trained on anything, so nothing can be tuned to them by accident.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

SEED = 20250617
LOW_PASS_SIGMA = 4.0  # pixels at 128: half a latent cell


@cache
def _filters() -> tuple[tuple[Tensor, Tensor], ...]:
    """Two layers of random zero-mean filters; random convolutions describe texture (Ustyuzhaninov et al., 2016)."""
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
    out = []
    x = pictures.float() * 2 - 1
    for _ in range(3):
        y = x
        for weight, bias in _filters():
            y = F.relu(F.conv2d(F.pad(y, (weight.shape[-1] // 2,) * 4, mode="reflect"), weight, bias))
            out.append(y)
            y = F.avg_pool2d(y, 2)
        x = F.avg_pool2d(x, 2)
    return out


def gram(pictures: Tensor) -> list[Tensor]:
    """Gram matrices [B, C, C] of `random_features`, for pictures [B, 3, H, W] (Gatys et al., 2016)."""
    flat = [features.flatten(2) for features in random_features(pictures)]
    return [features @ features.transpose(1, 2) / features.shape[-1] for features in flat]


def gram_distance(a: Tensor, b: Tensor) -> Tensor:
    """Mean relative Frobenius distance of the Gram matrices, [B]."""
    parts = [
        (ga - gb).flatten(1).norm(dim=1) / (ga.flatten(1).norm(dim=1) * gb.flatten(1).norm(dim=1)).sqrt()
        for ga, gb in zip(gram(a), gram(b), strict=True)
    ]
    return torch.stack(parts).mean(0)


def low_pass_distance(a: Tensor, b: Tensor) -> Tensor:
    """Root mean square difference after a Gaussian blur of 4 px at 128, [B]."""
    difference = _blur(a.float() - b.float(), LOW_PASS_SIGMA * max(a.shape[-2:]) / 128)
    return difference.square().mean((1, 2, 3)).sqrt()


def _blur(x: Tensor, sigma: float) -> Tensor:
    radius = int(3 * sigma + 0.5)
    offsets = torch.arange(-radius, radius + 1, dtype=torch.float32)
    kernel = torch.exp(-0.5 * (offsets / sigma) ** 2)
    kernel = (kernel / kernel.sum()).view(1, 1, -1).repeat(x.shape[1], 1, 1)
    x = F.pad(x, (radius,) * 4, mode="reflect")
    x = F.conv2d(x, kernel[:, :, None, :], groups=x.shape[1])
    return F.conv2d(x, kernel[:, :, :, None], groups=x.shape[1])


DISTANCES = {"gram": gram_distance, "low_pass": low_pass_distance}


def scaled(result: Tensor, content: Tensor, other: Tensor) -> Tensor:
    """Distances [pairs] on a scale where the content pictures average 1 and other renders of the truth average 0."""
    low, high = other.mean(), content.mean()
    return (result - low) / (high - low)


def bootstrap_difference(a: Tensor, b: Tensor, draws: int = 4000, seed: int = 0) -> tuple[float, float, float]:
    """Mean of a - b over pairs, and its 95 % interval by a paired bootstrap."""
    rng = np.random.default_rng(seed)
    d = (a - b).numpy()
    means = d[rng.integers(0, len(d), (draws, len(d)))].mean(1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(d.mean()), float(low), float(high)
