"""`Codec` from a diffusers AutoencoderKL or AutoencoderTiny."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ..errors import UserError
from ..finite import check_finite


class VaeCodec:
    """Pictures to scaled latents and back. Encoding takes the posterior's mode, so it is deterministic.

    A scaling or shift factor in the VAE's config is applied; AutoencoderTiny's latents are scaled by training and its
    factor is 1.
    """

    def __init__(self, vae: Any):
        self._vae = vae
        config = vae.config
        widths = config.get("block_out_channels") or config.get("encoder_block_out_channels")
        if config.get("encoder_block_out_channels"):
            widths = config["encoder_block_out_channels"]
        self._downscale = 2 ** (len(widths) - 1)
        self._channels = int(config["latent_channels"])
        self._factor = float(config.get("scaling_factor") or 1.0)
        self._shift = float(config.get("shift_factor") or 0.0)

    @property
    def vae(self) -> Any:
        return self._vae

    @property
    def downscale(self) -> int:
        return self._downscale

    @property
    def channels(self) -> int:
        return self._channels

    @torch.no_grad()
    def encode(self, pictures: Tensor) -> Tensor:
        """See `Codec.encode`. Raises ValueError when a side is not a multiple of `downscale`."""
        check_sides(pictures, self._downscale)
        weight = next(self._vae.parameters())
        out = self._vae.encode(pictures.to(weight.device, weight.dtype) * 2.0 - 1.0)
        latents = out.latent_dist.mode() if hasattr(out, "latent_dist") else out.latents
        return (latents.float() - self._shift) * self._factor

    @torch.no_grad()
    def decode(self, latents: Tensor) -> Tensor:
        """See `Codec.decode`."""
        weight = next(self._vae.parameters())
        raw = latents.to(weight.device, torch.float32) / self._factor + self._shift
        decoded = self._vae.decode(raw.to(weight.dtype)).sample.float()
        return (check_finite(decoded, "The VAE's picture") / 2.0 + 0.5).clamp(0.0, 1.0)


def check_sides(pictures: Tensor, downscale: int) -> None:
    """Raise ValueError (UserError) unless the sides of pictures [B, 3, H, W] are multiples of `downscale`."""
    height, width = pictures.shape[-2:]
    if height % downscale or width % downscale:
        raise UserError(
            f"A picture of {width} x {height} was given to the VAE; sides must be multiples of {downscale}."
        )
