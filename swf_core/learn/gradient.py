"""The gradient of one step: batches drawn, noised, predicted and gone back through, pass by pass."""

from __future__ import annotations

import torch

from ..models.contracts import Trainable
from ..models.precision import mixed_precision
from .latent_cache import LatentCache
from .losses import denoising_loss, draw_levels, draw_noise
from .options import TrainOptions
from .prior import Prior
from .processes import ALONE, Processes


def leave_gradient(
    network: Trainable,
    latent_cache: LatentCache,
    prior: Prior | None,
    options: TrainOptions,
    step: int,
    group: Processes = ALONE,
) -> float:
    """Add the gradient of a step's loss to the parameters; the loss, a mean over the rows of all its passes.

    `group`: of several processes this one takes its own rows alone, as shares of the same mean, so that losses and
    gradients of all add up to those of one process. Every process draws all rows, which are those of one process too.
    """
    total = 0.0
    for part in range(options.accumulate):
        batch, seeds = latent_cache.draw(step, part), (step, part)
        count, picks = len(batch.latents), (batch.picked, latent_cache.picks_share)
        timesteps = draw_levels(network, options, count, seeds, picks, latent_cache.side_ratio)
        noise = draw_noise(options, batch.latents, seeds)
        rows, share = group.own_rows(part, count), 1 / options.accumulate
        if rows is not None:
            if not rows:
                continue
            batch, timesteps, noise = batch.pick(rows), timesteps[rows], noise[rows]
            share *= len(rows) / count
        with mixed_precision(network.device), torch.enable_grad():
            loss = denoising_loss(network, batch, timesteps, noise, options.loss, options.min_snr)
            if prior is not None:
                loss = loss + options.prior_weight * prior.loss(network, step, part, rows)
        (loss * share).backward()
        total += float(loss.detach()) * share
    return total
