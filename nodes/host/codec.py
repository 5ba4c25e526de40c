"""A VAE of the graph as the core's codec: by itself, or in the scale that a network works in."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ...swf_core.errors import UserError


class VaeCodec:
    """The core's `Codec` on a VAE by itself, latents in the VAE's own scale. Called outside inference mode, it returns
    tensors that can be trained on.

    `channels_last`: how pictures lie in memory when the VAE gets them. Nothing else depends on it, but the VAE's
    convolutions add up in another order, so a user keeps to one.
    """

    def __init__(self, vae: Any, *, channels_last: bool):
        self.vae, self.channels_last = vae, channels_last

    @property
    def downscale(self) -> int:
        """Picture pixels per latent cell."""
        return int(self.vae.spacial_compression_decode())

    @property
    def channels(self) -> int:
        """Latent channels."""
        return int(self.vae.latent_channels)

    @torch.no_grad()
    def encode(self, pictures: Tensor) -> Tensor:
        """Pictures [B, 3, H, W] in 0..1 -> latents [B, C, h, w]. Raises UserError when a picture is smaller than a
        cell."""
        if min(pictures.shape[-2:]) < self.downscale:
            raise UserError(
                f"A picture of {pictures.shape[-1]} x {pictures.shape[-2]} pixels was given; the VAE needs at least "
                f"{self.downscale} on each side, so give a larger one."
            )
        pixels = pictures.movedim(1, -1)
        return self.vae.encode(pixels.contiguous() if self.channels_last else pixels).float().clone()

    @torch.no_grad()
    def decode(self, latents: Tensor) -> Tensor:
        """Latents [B, C, h, w] -> pictures [B, 3, H, W] in 0..1."""
        return self.vae.decode(latents.to(torch.float32)).permute(0, 3, 1, 2).clamp(0, 1).float().clone()


class HostCodec(VaeCodec):
    """The same for the BaseModel `model`, in the scale that its network works in."""

    def __init__(self, vae: Any, model: Any, *, channels_last: bool):
        super().__init__(vae, channels_last=channels_last)
        self.format = model.latent_format

    @property
    def channels(self) -> int:
        """Latent channels."""
        return int(self.format.latent_channels)

    def encode(self, pictures: Tensor) -> Tensor:
        """Pictures [B, 3, H, W] in 0..1 -> latents [B, C, h, w]. Raises UserError when the VAE is another model's, or a
        picture is smaller than a cell."""
        latents = super().encode(pictures)
        if latents.shape[1] != self.channels:
            raise UserError(
                f"The VAE makes latents of {latents.shape[1]} channels and the model has {self.channels}; connect the "
                "model's own VAE."
            )
        return self.format.process_in(latents)

    def decode(self, latents: Tensor) -> Tensor:
        """Latents [B, C, h, w] -> pictures [B, 3, H, W] in 0..1."""
        return super().decode(self.format.process_out(latents.to(torch.float32)))
