"""Adaptive instance normalization (Huang and Belongie, arXiv 1703.06868): one formula for latents and for queries."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

# A channel's mean and standard deviation, each of a shape that broadcasts to the tensor.
Statistics = tuple[Tensor, Tensor]

# Deviations below this count as this; half precision still holds it.
SMALLEST_DEVIATION = 1e-6


def match_statistics(x: Tensor, own: Statistics, target: Statistics) -> Tensor:
    """`x` with its mean and deviation `own` replaced by `target`: (x - mean) / deviation * deviation' + mean'."""
    (mean, deviation), (target_mean, target_deviation) = own, target
    return (x - mean) / deviation.clamp_min(SMALLEST_DEVIATION) * target_deviation + target_mean


def mean_statistics(parts: Sequence[Statistics], weights: Sequence[float]) -> Statistics:
    """Means and deviations averaged by weight; the weights are brought to a sum of 1."""
    total = float(sum(weights))
    mean, deviation = ((weights[0] / total) * part for part in parts[0])
    for (other_mean, other_deviation), weight in zip(parts[1:], weights[1:]):
        mean = mean + (weight / total) * other_mean
        deviation = deviation + (weight / total) * other_deviation
    return mean, deviation
