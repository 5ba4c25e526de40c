"""Two distances to the truth: Gram matrices of fixed random features (texture), and a low-pass (color, layout).

Neither needs downloaded weights and neither is trained on anything, so nothing can be tuned to them by accident.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ...features.distances import gram as gram_matrix
from ...features.distances import relative_gram_distance
from ...features.embedded import random_features

LOW_PASS_SIGMA = 4.0  # pixels at 128: half a latent cell


def gram(pictures: Tensor) -> list[Tensor]:
    """Gram matrices [B, C, C] of `random_features`, for pictures [B, 3, H, W] (Gatys et al., 2016)."""
    return [gram_matrix(features) for features in random_features(pictures)]


def gram_distance(a: Tensor, b: Tensor) -> Tensor:
    """Mean relative Frobenius distance of the Gram matrices, [B]."""
    parts = [relative_gram_distance(ga, gb) for ga, gb in zip(gram(a), gram(b), strict=True)]
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
