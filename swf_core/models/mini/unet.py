"""The embedded diffusion model: a UNet2DConditionModel with self- and cross-attention at full latent resolution.

At 128 pixels the latent is 16x16; each token is one latent cell of 8 pixels, and the full-resolution
self-attention is where style lives.
"""

from __future__ import annotations

from typing import Any

from .text import HIDDEN
from .vae import LATENT_CHANNELS

# Multiples of 32: ComfyUI's UNet normalises in 32 groups.
CHANNELS = (96, 128, 192)
HEAD_WIDTH = 32
# Stable Diffusion's schedule; v-prediction (Salimans and Ho, 2022), which small models learn more evenly.
SCHEDULER: dict[str, Any] = {
    "num_train_timesteps": 1000,
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "prediction_type": "v_prediction",
}


def new_unet(channels: tuple[int, ...] = CHANNELS):
    """An untrained UNet in the embedded model's shape."""
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

    levels = len(channels)
    return UNet2DConditionModel(
        sample_size=16,
        in_channels=LATENT_CHANNELS,
        out_channels=LATENT_CHANNELS,
        layers_per_block=1,
        block_out_channels=channels,
        down_block_types=("CrossAttnDownBlock2D",) * levels,
        up_block_types=("CrossAttnUpBlock2D",) * levels,
        cross_attention_dim=HIDDEN,
        attention_head_dim=tuple(c // HEAD_WIDTH for c in channels),  # pyright: ignore[reportArgumentType]
    )
