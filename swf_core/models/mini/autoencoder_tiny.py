"""AutoencoderTiny, diffusers' class for TAESD's layout, with the same names, ranges and arithmetic, in a few lines."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from .vae import LATENT_CHANNELS, LAYOUT_WIDTH, Block, latent_channels_of, run_narrow, to_diffusers

_BLOCKS = (1, 3, 3, 3)  # at 1, 1/2, 1/4 and 1/8 of the resolution
_MAGNITUDE = 3.0  # of the decoder's soft clamp


class Latents(NamedTuple):
    """What `encode` gives."""

    latents: Tensor


class Sample(NamedTuple):
    """What `decode` gives."""

    sample: Tensor


class EncoderTiny(nn.Module):
    """Pictures in -1..1 to latents."""

    def __init__(self, width: int, latent_channels: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for level, blocks in enumerate(_BLOCKS):
            first = nn.Conv2d(3, width, 3, padding=1)
            layers.append(nn.Conv2d(width, width, 3, 2, 1, bias=False) if level else first)
            layers += [Block(width) for _ in range(blocks)]
        self.layers = nn.Sequential(*layers, nn.Conv2d(width, latent_channels, 3, padding=1))

    def forward(self, x: Tensor) -> Tensor:
        """[B, 3, H, W] -> [B, latent channels, H/8, W/8]."""
        return self.layers(x.add(1).div(2))


class DecoderTiny(nn.Module):
    """Latents to pictures in -1..1."""

    def __init__(self, width: int, latent_channels: int) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(latent_channels, width, 3, padding=1), nn.ReLU()]
        for blocks in reversed(_BLOCKS[1:]):
            layers += [Block(width) for _ in range(blocks)]
            layers += [nn.Upsample(scale_factor=2), nn.Conv2d(width, width, 3, padding=1, bias=False)]
        self.layers = nn.Sequential(*layers, Block(width), nn.Conv2d(width, 3, 3, padding=1))

    def forward(self, x: Tensor) -> Tensor:
        """[B, latent channels, h, w] -> [B, 3, 8h, 8w]."""
        return self.layers(torch.tanh(x / _MAGNITUDE) * _MAGNITUDE).mul(2).sub(1)


class AutoencoderTiny(nn.Module):
    """TAESD. `config` holds what `VaeCodec` asks for; latents are scaled by training, so the factor is 1."""

    def __init__(self, width: int = LAYOUT_WIDTH, latent_channels: int = LATENT_CHANNELS) -> None:
        super().__init__()
        self.config: dict[str, Any] = {
            "latent_channels": latent_channels,
            "scaling_factor": 1.0,
            "encoder_block_out_channels": (width,) * len(_BLOCKS),
        }
        self.encoder, self.decoder = EncoderTiny(width, latent_channels), DecoderTiny(width, latent_channels)

    def encode(self, pictures: Tensor) -> Latents:
        """[B, 3, H, W] in -1..1 -> [B, latent channels, H/8, W/8]."""
        return Latents(self.encoder(pictures))

    def decode(self, latents: Tensor) -> Sample:
        """[B, latent channels, h, w] -> [B, 3, 8h, 8w], about -1..1."""
        return Sample(self.decoder(latents))


def load_autoencoder_tiny(taesd: dict[str, Tensor]) -> AutoencoderTiny:
    """The class with these weights (float32, evaluation mode), run at its real width."""
    with torch.device("meta"):
        vae = AutoencoderTiny(latent_channels=latent_channels_of(taesd))
    vae.load_state_dict({k: v.float() for k, v in to_diffusers(taesd).items()}, assign=True)
    run_narrow(vae)
    return vae.eval()
