"""Flux, also Kontext and Krea: double blocks of two streams, then single blocks, text before the picture.

Text stands at 0 of every axis, and so unturned. A network distilled from guidance is told its strength.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ..contracts import AttentionLayer, Conditioning
from .attention import Places, Reader, one_row, two_streams
from .family import Blocks, bias_of, layers_of, lengths_of, like, pooled_of, rope_of
from .packing import from_tokens, grid_of, to_tokens


class Flux:
    """See `Family`."""

    name, patch, masks = "Flux", 2, False  # its network sees tokens alone

    def __init__(self, network: Any):
        self.network = network
        self.channels = network.config.in_channels // self.patch**2
        self.text_width = network.config.joint_attention_dim
        lists = Blocks("double", "transformer_blocks"), Blocks("single", "single_transformer_blocks")
        self.layers = layers_of(network, self.patch, *lists)
        self.rope = rope_of(network.config.axes_dims_rope)

    def reader(self, layer: AttentionLayer) -> Reader:
        """See `Family.reader`."""
        return two_streams if layer.name.startswith("double.") else one_row

    def places(self, grid: tuple[int, int], cond: Conditioning) -> Places:
        """See `Family.places`."""
        length = cond.tokens.shape[1]
        bias = bias_of(lengths_of(cond), cond.tokens.device, length)
        return Places(grid, self.rope, bias=bias, starts=[length] * len(cond))

    def velocity(self, x_t: Tensor, t: Tensor, cond: Conditioning, guidance: float) -> Tensor:
        """See `Family.velocity`."""
        weight, grid = like(self.network), grid_of(x_t, self.patch)
        tokens = self.network(
            to_tokens(x_t, self.patch).to(weight),
            encoder_hidden_states=cond.tokens.to(weight),
            pooled_projections=pooled_of(cond).to(weight),
            timestep=t,
            img_ids=self.rope.grid_ids(*grid).float().to(weight.device),
            txt_ids=torch.zeros(cond.tokens.shape[1], len(self.rope.axes), device=weight.device),
            guidance=torch.full_like(t, guidance) if self.network.config.guidance_embeds else None,
            return_dict=False,
        )[0]
        return from_tokens(tokens, grid, self.patch)
