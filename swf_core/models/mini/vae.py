"""The autoencoder: AutoencoderTiny in TAESD's layout, trained narrow and stored wide.

TAESD's layout (64 channels everywhere, 8x downscale) is the one small autoencoder that ComfyUI's stock VAE loader
takes. At full resolution 64 channels are what makes it slow to train. We train a narrower network of the same
topology (`WIDTHS` channels at 1, 1/2, 1/4 and 1/8 of the resolution) and embed it: channels that do not exist are
zero rows and columns. ReLU(0) = 0 and skips add zeros, so the wide network computes exactly the narrow one. The zeros
are stored, never computed with: `run_narrow` lets a wide network multiply by its real channels alone.

The file holds TAESD's keys (`taesd_encoder.*`, `taesd_decoder.*`, `vae_scale`, `vae_shift`), `to_diffusers` renames
them for AutoencoderTiny (`autoencoder_tiny.py`, or diffusers'), whose layers are the same ones.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

WIDTHS = (32, 64, 64, 64)
LAYOUT_WIDTH = 64
LATENT_CHANNELS = 4


class Block(nn.Module):
    """Three 3x3 convolutions around a skip; the names match TAESD's and diffusers' blocks."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1),
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.conv(x) + x)


class NarrowAutoencoder(nn.Module):
    """TAESD's topology with its own width per resolution. Pictures are in 0..1, latents about unit variance.

    `latent_channels`: 4 is mini's, 16 mini-flow's; the layout takes any number.
    """

    def __init__(self, widths: tuple[int, int, int, int] = WIDTHS, latent_channels: int = LATENT_CHANNELS) -> None:
        super().__init__()
        self.latent_channels = latent_channels
        a, b, c, d = widths
        self.encoder = nn.Sequential(
            nn.Conv2d(3, a, 3, padding=1),
            Block(a),
            nn.Conv2d(a, b, 3, 2, 1, bias=False),
            Block(b),
            Block(b),
            Block(b),
            nn.Conv2d(b, c, 3, 2, 1, bias=False),
            Block(c),
            Block(c),
            Block(c),
            nn.Conv2d(c, d, 3, 2, 1, bias=False),
            Block(d),
            Block(d),
            Block(d),
            nn.Conv2d(d, latent_channels, 3, padding=1),
        )
        self.decoder = nn.Sequential(
            nn.Conv2d(latent_channels, d, 3, padding=1),
            nn.ReLU(),
            Block(d),
            Block(d),
            Block(d),
            nn.Upsample(scale_factor=2),
            nn.Conv2d(d, c, 3, padding=1, bias=False),
            Block(c),
            Block(c),
            Block(c),
            nn.Upsample(scale_factor=2),
            nn.Conv2d(c, b, 3, padding=1, bias=False),
            Block(b),
            Block(b),
            Block(b),
            nn.Upsample(scale_factor=2),
            nn.Conv2d(b, a, 3, padding=1, bias=False),
            Block(a),
            nn.Conv2d(a, 3, 3, padding=1),
        )

    def encode(self, pictures: Tensor) -> Tensor:
        """[B, 3, H, W] in 0..1 -> [B, latent channels, H/8, W/8]."""
        return self.encoder(pictures)

    def decode(self, latents: Tensor) -> Tensor:
        """[B, latent channels, h, w] -> [B, 3, 8h, 8w], about 0..1. The soft clamp is the layout's: 3 tanh(x / 3)."""
        return self.decoder(torch.tanh(latents / 3) * 3)


def to_taesd(narrow: NarrowAutoencoder) -> dict[str, Tensor]:
    """Embed the narrow network in the 64-channel layout, under ComfyUI's key names."""
    out: dict[str, Tensor] = {"vae_scale": torch.tensor(1.0), "vae_shift": torch.tensor(0.0)}
    for name, value in narrow.state_dict().items():
        half, index, rest = name.split(".", 2)
        shape = [LAYOUT_WIDTH if size not in (3, narrow.latent_channels) else size for size in value.shape[:2]]
        wide = torch.zeros(*shape[: value.ndim], *value.shape[2:])
        wide[tuple(slice(0, n) for n in value.shape)] = value
        # TAESD's decoder begins with the clamp as layer 0.
        out[f"taesd_{half}.{int(index) + (half == 'decoder')}.{rest}"] = wide
    return out


def to_diffusers(taesd: dict[str, Tensor]) -> dict[str, Tensor]:
    """Rename TAESD's keys to those of diffusers' AutoencoderTiny (the scalars have no place there: they are 1, 0)."""
    out = {}
    for name, value in taesd.items():
        if name.startswith("taesd_"):
            half, index, rest = name.removeprefix("taesd_").split(".", 2)
            out[f"{half}.layers.{int(index) - (half == 'decoder')}.{rest}"] = value
    return out


def latent_channels_of(taesd: dict[str, Tensor]) -> int:
    """The number of latent channels of a file in TAESD's layout."""
    return taesd["taesd_decoder.1.weight"].shape[1]


def from_taesd(taesd: dict[str, Tensor], widths: tuple[int, int, int, int] = WIDTHS) -> NarrowAutoencoder:
    """Cut the narrow network out of the wide file, to train it further. Exact."""
    narrow = NarrowAutoencoder(widths, latent_channels_of(taesd))
    state = {}
    for name, value in narrow.state_dict().items():
        half, index, rest = name.split(".", 2)
        wide = taesd[f"taesd_{half}.{int(index) + (half == 'decoder')}.{rest}"].float()
        state[name] = wide[tuple(slice(0, n) for n in value.shape)].clone()
    narrow.load_state_dict(state)
    return narrow


@torch.no_grad()
def run_narrow(vae: nn.Module, widths: tuple[int, int, int, int] = WIDTHS) -> int:
    """Let diffusers' AutoencoderTiny or ComfyUI's TAESD compute with the real channels alone, in place.

    Weights and state_dict stay wide, so what is loaded and saved keeps the stock layout. Returns how many convolutions
    run narrower than stored: none where something outside `widths` is not zero, as in a TAESD that is not mini's.
    """
    convolutions = {name: m for name, m in vae.named_modules() if isinstance(m, nn.Conv2d)}
    # The encoder's last convolution, which a module that is no TAESD may lack.
    latent_channels = min((m.out_channels for name, m in convolutions.items() if "encoder" in name), default=0)
    with torch.device("meta"):
        network = NarrowAutoencoder(widths, latent_channels or LATENT_CHANNELS)
        narrow = [m for m in network.modules() if isinstance(m, nn.Conv2d)]
    # Both layouts hold the same convolutions in the same order, encoder first.
    if len(convolutions) != len(narrow):
        return 0
    pairs = list(zip(convolutions.values(), narrow, strict=True))
    for wide, real in pairs:
        rest = wide.weight.clone()
        rest[: real.out_channels, : real.in_channels] = 0
        if rest.any() or (wide.bias is not None and wide.bias[real.out_channels :].any()):
            return 0
    narrower = [(wide, real) for wide, real in pairs if wide.weight.shape != real.weight.shape]
    for wide, real in narrower:
        # What nn.Conv2d.forward, and ComfyUI's own after casting the weights, calls with input, weight and bias.
        wide._conv_forward = _narrow_convolution(real.out_channels, real.in_channels, wide.stride, wide.padding)
    return len(narrower)


def _narrow_convolution(out: int, into: int, stride: tuple[int, ...], padding: tuple[int, ...] | str) -> Callable:
    def convolve(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        return F.conv2d(x, weight[:out, :into], None if bias is None else bias[:out], stride, padding)

    return convolve
