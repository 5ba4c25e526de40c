"""The embedded diffusion model: Stable Diffusion's UNet with self- and cross-attention at full latent resolution.

At 128 pixels the latent is 16x16; each token is one latent cell of 8 pixels, and the full-resolution
self-attention is where style lives. It computes what diffusers' UNet2DConditionModel of this shape does.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F

from .text import HIDDEN
from .transformer import GROUPS, Attention, AttentionProcessor, timestep_embedding
from .unet_blocks import CrossAttnDownBlock2D, CrossAttnUpBlock2D, UNetMidBlock2DCrossAttn
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


class TimestepEmbedding(nn.Module):
    """A noise level as a vector."""

    def __init__(self, into: int, out: int) -> None:
        super().__init__()
        self.linear_1, self.linear_2 = nn.Linear(into, out), nn.Linear(out, out)

    def forward(self, x: Tensor) -> Tensor:
        """[B, into] -> [B, out]."""
        return self.linear_2(F.silu(self.linear_1(x)))


class MiniUNet(nn.Module):
    """A UNet whose levels have these channels, one residual block each on the way down and two on the way up."""

    def __init__(self, channels: tuple[int, ...] = CHANNELS, context_width: int = HIDDEN) -> None:
        super().__init__()
        self.config = {"sample_size": 16, "in_channels": LATENT_CHANNELS, "block_out_channels": channels}
        time, depth = 4 * channels[0], len(channels)
        heads = [width // HEAD_WIDTH for width in channels]
        self.conv_in = nn.Conv2d(LATENT_CHANNELS, channels[0], 3, padding=1)
        self.time_embedding = TimestepEmbedding(channels[0], time)
        # Registered in diffusers' order, the middle last: digests of the weights count it.
        self.down_blocks, self.up_blocks = nn.ModuleList(), nn.ModuleList()
        for i, width in enumerate(channels):
            before = channels[max(i - 1, 0)]
            self.down_blocks.append(
                CrossAttnDownBlock2D(before, width, time, heads[i], context_width, last=i == depth - 1)
            )
        self.mid_block = UNetMidBlock2DCrossAttn(channels[-1], time, heads[-1], context_width)
        below = channels[-1]
        for i in reversed(range(depth)):
            skips = (channels[i], channels[max(i - 1, 0)])
            self.up_blocks.append(
                CrossAttnUpBlock2D(below, skips, channels[i], time, heads[i], context_width, last=i == 0)
            )
            below = channels[i]
        self.conv_norm_out = nn.GroupNorm(GROUPS, channels[0], eps=1e-5)
        self.conv_out = nn.Conv2d(channels[0], LATENT_CHANNELS, 3, padding=1)

    def forward(
        self,
        sample: Tensor,
        timestep: Tensor,
        encoder_hidden_states: Tensor,
        added_cond_kwargs: None = None,
        return_dict: bool = False,
    ) -> tuple[Tensor]:
        """Noisy latents [B, 4, h, w], timesteps [] or [B] in 0..999 and the text [B, M, D] -> the prediction, in a
        tuple. The last two arguments are diffusers' and change nothing."""
        steps = timestep.reshape(-1).expand(sample.shape[0])
        time = self.time_embedding(timestep_embedding(steps, self.conv_in.out_channels).to(sample.dtype))
        x = self.conv_in(sample)
        skips = [x]
        for block in self.down_blocks:
            skips += block(skips[-1], time, encoder_hidden_states)
        x = self.mid_block(skips[-1], time, encoder_hidden_states)
        for block in self.up_blocks:
            x = block(x, skips, time, encoder_hidden_states)
        return (self.conv_out(F.silu(self.conv_norm_out(x))),)

    def set_attn_processor(self, processor: AttentionProcessor) -> None:
        """One processor for all attention, as in diffusers."""
        for module in self.modules():
            if isinstance(module, Attention):
                module.processor = processor


def new_unet(channels: tuple[int, ...] = CHANNELS) -> MiniUNet:
    """An untrained UNet in the embedded model's shape."""
    return MiniUNet(channels)
