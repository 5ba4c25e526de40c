"""How much of the content's structure a result keeps: SSIM, edges, and the self-similarity of features."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ...color.spaces import to_oklab
from ...features.embedded import random_features

EDGE_PX = 2
SIMILARITY_GRID = 16


def lightness_ssim(result: Tensor, source: Tensor) -> float:
    """SSIM of OKLab's lightness of two pictures [3, H, W], -1 to 1 (Wang et al., 2004)."""
    from skimage.metrics import structural_similarity

    one, other = (to_oklab(x)[0].numpy() for x in (source, result))
    return float(structural_similarity(one, other, data_range=1.0))  # type: ignore[arg-type]


def edge_f1(image: Tensor, reference: Tensor) -> float:
    """F1, 0 to 1, of the Canny edges of lightness of two pictures [3, H, W], matched within `EDGE_PX` pixels."""
    from scipy.ndimage import binary_dilation
    from skimage.feature import canny

    one, other = (canny(to_oklab(x)[0].numpy(), 1.5, 0.04, 0.1) for x in (image, reference))
    neighborhood = np.ones((2 * EDGE_PX + 1,) * 2, bool)
    precision = (one & binary_dilation(other, neighborhood)).sum() / max(1, one.sum())
    recall = (other & binary_dilation(one, neighborhood)).sum() / max(1, other.sum())
    return float(2 * precision * recall / max(1e-9, precision + recall))


@torch.no_grad()
def self_similarity_distance(a: Tensor, b: Tensor) -> Tensor:
    """How differently two sets of pictures [B, 3, H, W] resemble themselves, [B], 0 to 2.

    The cosine distances between all places of a picture, each place's brought to a sum of 1; the mean over places of
    the absolute difference's sum (STROTSS, Kolkin et al., arXiv 1904.12785, equation 7). Places are a grid of 16 x 16
    and features the fixed random ones of `features/embedded.py`, where the paper takes 1024 places of VGG-16. Colors
    may change: places that were alike have to stay alike.
    """
    return (_resemblance(a) - _resemblance(b)).abs().sum(1).mean(1)


def _resemblance(pictures: Tensor) -> Tensor:
    """[B, n, n], columns of which sum to 1."""
    grids = [F.adaptive_avg_pool2d(f, SIMILARITY_GRID).flatten(2) for f in random_features(pictures)]
    directions = F.normalize(torch.cat(grids, 1), dim=1)
    distances = (1 - directions.transpose(1, 2) @ directions).clamp_min(0)
    return distances / distances.sum(1, keepdim=True).clamp_min(1e-8)
