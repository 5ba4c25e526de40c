"""The loss of a training: the squared error of a network's prediction about noise that was put on a latent.

noisy = sqrt(abar) x0 + sqrt(1 - abar) eps, with abar = 1 / (1 + sigma^2) (Ho et al., arXiv 2006.11239).
v = sqrt(abar) eps - sqrt(1 - abar) x0 (Salimans and Ho, arXiv 2202.00512). Rectified flows: `flow_loss`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ..models.contracts import Trainable
from ..models.flow_training import is_flow
from .flow_loss import fixed_times, times_of_shares, velocity_loss
from .latent_cache import NOISE, Batch
from .options import TrainOptions

KINDS = {"epsilon": "epsilon", "v_prediction": "v", "sample": "x0"}


def draw_levels(
    network: Trainable,
    options: TrainOptions,
    count: int,
    seeds: tuple[int, ...],
    picks: tuple[Tensor | None, float] = (None, 0.0),
    side_ratio: float = 1.0,
) -> Tensor:
    """The noise levels [count] of a batch as `Trainable.predict` takes them: timesteps, or a flow's times.

    `picks`: see `draw_shares`. `side_ratio`: of the pictures' sides to the model's native ones.
    """
    if is_flow(network):
        return times_of_shares(network, draw_shares(options, count, seeds, *picks), options, side_ratio)
    return draw_timesteps(options, len(network.sigmas), count, seeds, *picks)


def fixed_levels(network: Trainable, shares: Sequence[float]) -> Tensor:
    """The noise levels at these shares, 0..1, of a model's table, as `Trainable.predict` takes them."""
    if is_flow(network):
        return fixed_times(network, shares)
    return torch.tensor([int(share * (len(network.sigmas) - 1)) for share in shares])


def draw_timesteps(
    options: TrainOptions,
    table: int,
    count: int,
    seeds: tuple[int, ...],
    picked: Tensor | None = None,
    picks_share: float = 0.0,
) -> Tensor:
    """Timesteps [count] of a batch: indices of the noise levels, of which there are `table`; see `draw_shares`."""
    shares = draw_shares(options, count, seeds, picked, picks_share)
    return torch.from_numpy(np.minimum((shares * table).astype(np.int64), table - 1))


def draw_shares(
    options: TrainOptions,
    count: int,
    seeds: tuple[int, ...],
    picked: Tensor | None = None,
    picks_share: float = 0.0,
) -> np.ndarray:
    """How noisy each row of a batch is, [count] in 0..1: 0.5 is noisier than half of what an even draw gives.

    "detail" is u^3, mostly low noise, "layout" 1 - u^3, with u uniform.

    `picked`, bool [count]: rows that are picked samples, of which `picks_share` are drawn over all steps. They have the
    levels from `picks_above` of the table on, and the others so many of the lower ones that together all levels are
    drawn as they are without picks. Ours: high noise is where things are placed, low noise how they are drawn
    (Balaji et al., arXiv 2211.01324), and what a sample gets wrong is how it is drawn (docs/figures.md).
    """
    u = np.random.default_rng([options.seed, NOISE, *seeds]).random(count)
    above = options.picks_above
    if picked is not None and picks_share and above:
        falls = options.timestep_bias == "layout"  # the level with u; a rank rises with it
        rank = 1 - u if falls else u
        low = {"none": above, "detail": above ** (1 / 3), "layout": 1 - (1 - above) ** (1 / 3)}[options.timestep_bias]
        rest = low / max(low, 1 - picks_share)  # of the other rows that lies below
        others = np.interp(rank, (0.0, rest, 1.0), (0.0, low, 1.0))
        rank = np.where(picked.numpy(), low + rank * (1 - low), others)
        u = 1 - rank if falls else rank
    if options.timestep_bias != "none":
        u = u**3 if options.timestep_bias == "detail" else 1 - u**3
    return u


def draw_noise(options: TrainOptions, latents: Tensor, seeds: tuple[int, ...]) -> Tensor:
    """Unit noise in the shape of `latents` [B, C, h, w], plus the noise offset: a constant of each channel."""
    seed = int(np.random.SeedSequence([options.seed, NOISE + 100, *seeds]).generate_state(1, np.uint64)[0] >> 1)
    generator = torch.Generator("cpu").manual_seed(seed)
    noise = torch.randn(latents.shape, generator=generator)
    if options.noise_offset:
        offset = torch.randn((*latents.shape[:2], 1, 1), generator=generator)
        noise = noise + options.noise_offset * offset
    return noise


def denoising_loss(
    network: Trainable, batch: Batch, timesteps: Tensor, noise: Tensor, kind: str, min_snr: float = 0.0
) -> Tensor:
    """The mean loss of a batch whose row i is at the noise level `timesteps[i]` (`draw_levels`), with gradients.

    `kind`: as `TrainOptions.loss`. `min_snr`: `snr_gamma` of `snr_weight`, 0 is off. A flow has neither.
    """
    if is_flow(network):
        return velocity_loss(network, batch, timesteps, noise)
    device = network.device
    abar = (1 / (1 + network.sigmas[timesteps] ** 2)).float().view(-1, 1, 1, 1)
    root, rest = abar.sqrt().to(device), (1 - abar).sqrt().to(device)
    x0, noise = batch.latents.to(device), noise.to(device)
    noisy = root * x0 + rest * noise
    prediction = network.predict(noisy, timesteps, batch.text)
    own = KINDS[network.prediction_type]
    target_kind = own if kind == "native" else kind
    target = {"epsilon": noise, "x0": x0, "v": root * noise - rest * x0}[target_kind]
    error = (_as(prediction, own, target_kind, noisy, root, rest) - target).square().mean((1, 2, 3))
    if min_snr:
        error = error * snr_weight(abar.flatten().to(device), target_kind, min_snr)
    return error.mean()


def snr_weight(abar: Tensor, kind: str, snr_gamma: float) -> Tensor:
    """min-SNR weights (Hang et al., arXiv 2303.09556): min(SNR, snr_gamma) on x0's error, in any parametrization."""
    snr = abar / (1 - abar)
    capped = snr.clamp_max(snr_gamma)
    return {"x0": capped, "epsilon": capped / snr, "v": capped / (snr + 1)}[kind]


def _as(prediction: Tensor, own: str, target: str, noisy: Tensor, root: Tensor, rest: Tensor) -> Tensor:
    """A prediction of the kind `own` in the parametrisation `target`."""
    if own == target:
        return prediction
    if own == "epsilon":
        x0, noise = (noisy - rest * prediction) / root, prediction
    elif own == "v":
        x0, noise = root * noisy - rest * prediction, rest * noisy + root * prediction
    else:
        x0, noise = prediction, (noisy - root * prediction) / rest
    return {"x0": x0, "epsilon": noise, "v": root * noise - rest * x0}[target]
