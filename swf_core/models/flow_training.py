"""What a rectified flow is trained by: its velocity at times of each row's own, and how times shift with the size."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from .contracts import Conditioning

# `Trainable.prediction_type` of a network that predicts eps - x0 (arXiv 2209.03003).
FLOW = "flow"
# What a network distilled from guidance (Flux dev) is told while it learns: none. Pictures of the style are no samples
# at a strength, and a LoRA that is trained at 1 keeps what the strength means when it is sampled at 3.5.
TRAINING_GUIDANCE = 1.0


class FlowTraining:
    """Makes a denoiser of a rectified flow, which has a `velocity`, `Trainable`. `timestep_shift`: of its own table."""

    prediction_type = FLOW
    timestep_shift: float = 1.0

    def predict(self, noisy: Tensor, timesteps: Tensor, cond: Conditioning) -> Tensor:
        """See `Trainable`: eps - x0 [B, C, h, w] at x_t = (1 - t) x0 + t eps, for times t [B] in 0..1."""
        own: Any = self
        device = own.device
        x_t, t = noisy.to(device, torch.float32), timesteps.to(device, torch.float32)
        return own.velocity(x_t, t, cond, guidance=TRAINING_GUIDANCE)


def is_flow(network: Any) -> bool:
    """Whether a trainable denoiser predicts a flow's velocity; others predict noise, a picture or VP's v."""
    return network.prediction_type == FLOW


def shifted(t: Tensor, shift: float) -> Tensor:
    """Times moved towards noise: shift t / (1 + (shift - 1) t) (arXiv 2403.03206, eq. 23), 0 and 1 where they were."""
    return shift * t / (1.0 + (shift - 1.0) * t)


def shift_at_size(shift: float, side_ratio: float) -> float:
    """The shift of a model's native size at another: a picture of `side_ratio` times as long sides is as noisy to see
    at a shift as many times as high (arXiv 2403.03206, section 5.3.2: the root of the pixels' ratio).

    Flux's own scheduler lets the shift grow exponentially with the tokens instead; both agree at the native size.
    """
    return shift * side_ratio
