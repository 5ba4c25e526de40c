"""`Codec` from an autoencoder whose latents are normalized channel by channel: Qwen-Image's and Flux.2's.

Qwen-Image's (AutoencoderKLQwenImage) is one of films, which a picture goes through as a single frame. Flux.2's
(AutoencoderKLFlux2) has squares of 2 x 2 cells laid into channels.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ..finite import check_finite
from .vae_codec import check_sides


class NormalizedCodec:
    """Pictures to normalized latents and back. Encoding takes the posterior's mode, so it is deterministic.

    mean, deviation: [C] of the latents' channels, after cells are laid into them. cells: of a square's side, 1 for
    none. frames: whether the autoencoder wants a frame's axis, [B, C, 1, h, w]. downscale: the autoencoder's own.
    """

    def __init__(
        self, vae: Any, mean: Tensor, deviation: Tensor, downscale: int, *, cells: int = 1, frames: bool = False
    ):
        self._vae, self._cells, self._frames = vae, cells, frames
        self._mean, self._deviation = (x.detach().float().cpu()[:, None, None] for x in (mean, deviation))
        self._downscale = downscale * cells

    @classmethod
    def of_qwen_image(cls, vae: Any) -> NormalizedCodec:
        """Of an AutoencoderKLQwenImage, mean and deviation from its config."""
        config = vae.config
        mean, deviation = torch.tensor(config["latents_mean"]), torch.tensor(config["latents_std"])
        return cls(vae, mean, deviation, 2 ** len(config["temperal_downsample"]), frames=True)

    @classmethod
    def of_flux2(cls, vae: Any) -> NormalizedCodec:
        """Of an AutoencoderKLFlux2, mean and deviation from its running statistics."""
        config, norm = vae.config, vae.bn
        deviation = (norm.running_var.float() + float(config["batch_norm_eps"])).sqrt()
        downscale = 2 ** (len(config["block_out_channels"]) - 1)
        return cls(vae, norm.running_mean, deviation, downscale, cells=int(config["patch_size"][0]))

    @property
    def vae(self) -> Any:
        return self._vae

    @property
    def downscale(self) -> int:
        return self._downscale

    @property
    def channels(self) -> int:
        return self._mean.shape[0]

    @torch.no_grad()
    def encode(self, pictures: Tensor) -> Tensor:
        """See `Codec.encode`. Raises ValueError when a side is not a multiple of `downscale`."""
        check_sides(pictures, self._downscale)
        weight = next(self._vae.parameters())
        pixels = pictures.to(weight.device, weight.dtype) * 2.0 - 1.0
        raw = self._vae.encode(pixels[:, :, None] if self._frames else pixels).latent_dist.mode().float()
        raw = F.pixel_unshuffle(raw[:, :, 0] if self._frames else raw, self._cells)
        return (raw - self._mean.to(raw.device)) / self._deviation.to(raw.device)

    @torch.no_grad()
    def decode(self, latents: Tensor) -> Tensor:
        """See `Codec.decode`."""
        weight = next(self._vae.parameters())
        raw = latents.to(weight.device, torch.float32)
        raw = raw * self._deviation.to(raw.device) + self._mean.to(raw.device)
        raw = F.pixel_shuffle(raw, self._cells).to(weight.dtype)
        decoded = self._vae.decode(raw[:, :, None] if self._frames else raw).sample.float()
        decoded = decoded[:, :, 0] if self._frames else decoded
        return (check_finite(decoded, "The VAE's picture") / 2.0 + 0.5).clamp(0.0, 1.0)
