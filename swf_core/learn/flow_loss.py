"""The loss of a rectified flow: the squared error of its velocity, at times drawn as Stable Diffusion 3 draws them.

x_t = (1 - t) x0 + t eps, and the network's target is eps - x0 (arXiv 2209.03003). The times are logit-normal, which
puts most of them in the middle, where a velocity is hardest to tell (Esser et al., arXiv 2403.03206, section 3.1).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import UserError
from ..models.flow import flow_time
from ..models.flow_training import is_flow, shift_at_size, shifted
from .latent_cache import Batch
from .options import TrainOptions

# Options that say nothing of a flow, with what they are where they are off.
_VARIANCE_PRESERVING = {"loss": "native", "min_snr": 0.0, "noise_offset": 0.0}
# Options that say nothing of other models.
_FLOW_ALONE = {"timestep_sampling": "native", "timestep_shift": 0.0}


def check_kind_of_model(network: Any, options: TrainOptions) -> None:
    """Raise UserError, one sentence, for options that this kind of model has no use for."""
    flow = is_flow(network)
    for name, off in (_VARIANCE_PRESERVING if flow else _FLOW_ALONE).items():
        value = getattr(options, name)
        if value != off:
            kinds = ("a rectified flow", "UNets") if flow else ("no rectified flow", "diffusion transformers")
            raise UserError(f"{name} is {value!r}, but this model is {kinds[0]}: it is for {kinds[1]}; leave it out.")


def times_of_shares(network: Any, shares: np.ndarray, options: TrainOptions, side_ratio: float = 1.0) -> Tensor:
    """Times t in 0..1, float32, from what was drawn evenly in 0..1: by their rank, so that a larger share is noisier.

    `options.timestep_sampling`: the sigmoid of a unit normal number, or even. Then they are moved towards noise by
    `options.timestep_shift`, or as the model's own levels are, at pictures of `side_ratio` times its native sides.
    """
    # From 1e-6 on: at the ends a logit is infinite, and t = 0 has nothing to predict.
    t = torch.from_numpy(np.clip(shares, 1e-6, 1 - 1e-6))
    if options.timestep_sampling != "uniform":
        t = torch.sigmoid(torch.special.ndtri(t))
    return shifted(t, options.timestep_shift or shift_at_size(network.timestep_shift, side_ratio)).float()


def fixed_times(network: Any, shares: Sequence[float]) -> Tensor:
    """The times at these shares of the model's own table of noise levels, for losses that are to be compared."""
    last = len(network.sigmas) - 1
    return torch.tensor([flow_time(float(network.sigmas[int(share * last)])) for share in shares])


def velocity_loss(network: Any, batch: Batch, times: Tensor, noise: Tensor) -> Tensor:
    """The mean loss of a batch whose row i is at the time `times[i]`, with gradients."""
    device = network.device
    t = times.to(device).view(-1, 1, 1, 1)
    x0, noise = batch.latents.to(device), noise.to(device)
    velocity = network.predict((1 - t) * x0 + t * noise, times, batch.text)
    return (velocity - (noise - x0)).square().mean()
