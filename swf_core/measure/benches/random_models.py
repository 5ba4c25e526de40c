"""Models with random weights in the shapes of real ones, for what needs no picture: time and memory of a network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ...models.contracts import Backend, Conditioning
from ...models.diffusers_backend import family_presets, sigmas_from_config
from ...models.unet_denoiser import UNetDenoiser

TOKENS, TEXT_WIDTH = 77, 768
SDXL_TEXT_WIDTH, SDXL_POOLED_WIDTH = 2048, 1280


class RandomText:
    """Random embeddings of a text model's shape, SD1.5's by default: none is needed to time a network. `pooled`: width
    of the pooled text that SDXL reads, 0 for none."""

    def __init__(self, width: int = TEXT_WIDTH, pooled: int = 0):
        self._width, self._pooled = width, pooled

    def encode(self, texts: Sequence[str], height_px: int, width_px: int) -> Conditioning:
        """See `TextEncoder.encode`; the same for any text of the same length."""
        rows = [torch.randn((1, TOKENS, self._width), generator=torch.Generator().manual_seed(len(t))) for t in texts]
        if not self._pooled:
            return Conditioning(torch.cat(rows))
        size = torch.tensor([[height_px, width_px, 0, 0, height_px, width_px]]).repeat(len(texts), 1)
        return Conditioning(torch.cat(rows), torch.zeros(len(texts), self._pooled), size)


class PooledCodec:
    """Latents from average pooling, for the same reason."""

    downscale, channels = 8, 4

    def encode(self, pictures: Tensor) -> Tensor:
        """[B, 3, H, W] -> [B, 4, H/8, W/8]."""
        small = torch.nn.functional.avg_pool2d(pictures, 8)
        return torch.cat([small, small[:, :1]], 1)

    def decode(self, latents: Tensor) -> Tensor:
        """[B, 4, h, w] -> [B, 3, 8h, 8w]."""
        return torch.nn.functional.interpolate(latents[:, :3], scale_factor=8.0).clamp(0, 1)


def sd15_unet(width: int = 320) -> Any:
    """SD1.5's UNet2DConditionModel; `width`: channels at its full resolution, SD1.5's own are 320."""
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

    channels = (width, 2 * width, 4 * width, 4 * width)
    return UNet2DConditionModel(
        sample_size=64, cross_attention_dim=TEXT_WIDTH, attention_head_dim=8, block_out_channels=channels
    )


def sd15_backend(width: int = 320, size_px: int = 512) -> Backend:
    """A model in SD1.5's shape, its weights drawn from seed 0."""
    torch.manual_seed(0)
    denoiser = UNetDenoiser(sd15_unet(width).eval(), sigmas_from_config({}), "epsilon")
    presets = {"all": "all", **family_presets("SD1.x", denoiser.self_attention_layers)}
    return Backend(denoiser, RandomText(), PooledCodec(), f"SD1.5 shape, width {width}", size_px, "SD1.x", presets)


def sdxl_backend(width: int = 320, size_px: int = 1024) -> Backend:
    """A model in SDXL's shape, its weights drawn from seed 0; `width`: a multiple of 64, SDXL's own is 320."""
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

    torch.manual_seed(0)
    network = UNet2DConditionModel(
        sample_size=128,
        block_out_channels=(width, 2 * width, 4 * width),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        transformer_layers_per_block=(1, 2, 10),  # type: ignore[arg-type]
        attention_head_dim=(width // 64, width // 32, width // 16),  # type: ignore[arg-type]
        cross_attention_dim=SDXL_TEXT_WIDTH,
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=256,
        projection_class_embeddings_input_dim=SDXL_POOLED_WIDTH + 6 * 256,
    )
    denoiser = UNetDenoiser(network.eval(), sigmas_from_config({}), "epsilon")
    presets = {"all": "all", **family_presets("SDXL", denoiser.self_attention_layers)}
    text = RandomText(SDXL_TEXT_WIDTH, SDXL_POOLED_WIDTH)
    return Backend(denoiser, text, PooledCodec(), f"SDXL shape, width {width}", size_px, "SDXL", presets)
