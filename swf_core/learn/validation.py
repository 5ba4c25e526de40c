"""The validation loss of a training: on the whole originals, at the same levels and noise each time.

A smooth curve, where the loss of a step is mostly the luck of its level. It costs at most two steps of the training.
"""

from __future__ import annotations

import torch

from ..models.contracts import Trainable, join
from ..models.precision import mixed_precision
from .latent_cache import Batch, LatentCache
from .losses import denoising_loss, fixed_levels
from .options import TrainOptions

LEVELS, DRAWS = (0.1, 0.3, 0.5, 0.7, 0.9), 2  # of the schedule, and noises at each, for every original
# Rows for each row of a step. A step runs every row forward and back, which costs two of these forward passes or more.
ROWS = 4

Row = tuple[int, float, int]  # which original, its level as a share of the schedule, the seed of its noise


@torch.no_grad()
def validation_loss(network: Trainable, latent_cache: LatentCache, options: TrainOptions) -> tuple[float, int]:
    """The mean loss over the rows of `validation_rows`, and how many they are. Without gradients."""
    originals = [n for n, picked in enumerate(latent_cache.picked) if not picked]
    rows = validation_rows(originals, ROWS * options.batch * options.accumulate)
    total = 0.0
    for size in dict.fromkeys(latent_cache.sizes[n] for n in originals):
        alike = [row for row in rows if latent_cache.sizes[row[0]] == size]
        for first in range(0, len(alike), options.batch):  # never more at once than a step has
            group = alike[first : first + options.batch]
            total += len(group) * _mean_loss(network, latent_cache, options, group)
    return total / len(rows), len(rows)


def _mean_loss(network: Trainable, latent_cache: LatentCache, options: TrainOptions, rows: list[Row]) -> float:
    latents = torch.cat([latent_cache.latents[n][:1] for n, _, _ in rows])
    timesteps = fixed_levels(network, [level for _, level, _ in rows])
    noises = [torch.randn(latents.shape[1:], generator=torch.Generator("cpu").manual_seed(s)) for _, _, s in rows]
    text = join([latent_cache.text(n) for n, _, _ in rows])
    with mixed_precision(network.device):
        return float(denoising_loss(network, Batch(latents, text), timesteps, torch.stack(noises), options.loss))


def validation_rows(originals: list[int], limit: int) -> list[Row]:
    """What the loss is measured on: every original at all `LEVELS`, each with `DRAWS` noises, if that is within
    `limit`; otherwise `limit` rows whose levels are the middles of as many equal parts of the schedule (the midpoint
    rule), each with a noise of its own, the originals in turn from part to part."""
    full = [(n, x, 1000 + 10 * k + draw) for n in originals for k, x in enumerate(LEVELS) for draw in range(DRAWS)]
    if len(full) <= limit:
        return full
    return [(originals[k % len(originals)], (k + 0.5) / limit, 1000 + k) for k in range(limit)]
