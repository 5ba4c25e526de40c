"""A MODEL's noise levels and latents beside the core's, which are in sigma space: x0 + sigma * eps, [B, C, h, w].

UNets of the host are in sigma space too. Its rectified flows say t in 0..1 where those say sigma, and their latents
are (1 - t) x0 + t eps: in sigma space t / (1 - t), and the latent divided by 1 - t. What the host hands from one
sampler to the next (`inverse_noise_scaling`) is in sigma space in both. Some latents have an axis of frames, of one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import comfy.model_sampling
from torch import Tensor

from ....swf_core.errors import UserError
from ....swf_core.models.flow import flow_sigma, flow_time

# At t = 1, where the host's schedules of flows begin, sigma would be infinite.
HIGHEST_TIME = 0.9999


@dataclass(frozen=True)
class NoiseLevels:
    """How a MODEL counts noise: `flow`, whether by the time of a rectified flow; `frames`, whether its latents have an
    axis of frames."""

    flow: bool
    frames: bool

    def sigma(self, level: float) -> float:
        """Of the host's level."""
        return flow_sigma(min(float(level), HIGHEST_TIME)) if self.flow else float(level)

    def level(self, sigma: float) -> float:
        """The host's level of a sigma."""
        return flow_time(sigma) if self.flow else float(sigma)

    def table(self, sampling: Any) -> Tensor:
        """sigma(t) of a MODEL's `model_sampling`, ascending, float64 on the CPU."""
        levels = sampling.sigmas.double().cpu()
        if not self.flow:
            return levels
        t = levels.clamp_max(HIGHEST_TIME)
        return t / (1.0 - t)

    def to_core(self, x: Tensor, level: float) -> Tensor:
        """A latent of the host at its level, in sigma space."""
        return self.picture(x) * (1.0 + self.sigma(level)) if self.flow else self.picture(x)

    def to_host(self, x: Tensor, sigma: float) -> Tensor:
        """A latent in sigma space as the host has it at that level."""
        return self.framed(x / (1.0 + float(sigma)) if self.flow else x)

    def picture(self, x: Tensor) -> Tensor:
        """Latents of the host as [B, C, h, w]. Raises UserError for several frames."""
        if x.dim() == 4:
            return x
        if x.dim() != 5 or x.shape[2] != 1:
            raise UserError(
                f"Latents of shape {tuple(x.shape)} were given; style transfer works on pictures, "
                "[pictures, channels, height, width] or with one frame before the height."
            )
        return x[:, :, 0]

    def framed(self, x: Tensor) -> Tensor:
        """Latents [B, C, h, w] as the host has them."""
        return x[:, :, None] if self.frames else x


def on_pictures(function: Callable[..., Tensor], *latents: Tensor) -> Tensor:
    """A function of latents [B, C, h, w] on those of the host, whose result has the shape of the first."""
    return function(*(x[:, :, 0] if x.dim() == 5 else x for x in latents)).reshape(latents[0].shape)


def noise_levels(model: Any) -> NoiseLevels:
    """Of a BaseModel."""
    flow = isinstance(model.model_sampling, comfy.model_sampling.CONST)
    return NoiseLevels(flow, getattr(model.latent_format, "latent_dimensions", 2) == 3)


def start_noise(levels: NoiseLevels, start: Tensor, clean: Tensor, level: float, scale: float) -> Tensor:
    """The noise with which the host's sampler, at its `level`, begins at `start` (in sigma space) from `clean`.

    `scale`: by what it multiplies the noise of a UNet.
    """
    if not levels.flow:
        return (start - clean) / scale
    at = start / (1.0 + levels.sigma(level))
    return (at - (1.0 - level) * clean) / level
