"""Stable Diffusion 3 and 3.5: text and picture in two streams, places added where pictures become tokens.

arXiv 2403.03206. Some blocks of 3.5 let the picture ask itself once more: "double.<i>.second", behind "double.<i>".
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from torch import Tensor

from ..contracts import AttentionLayer, Conditioning
from .attention import Places, Reader, picture_alone, two_streams
from .family import Blocks, bias_of, layers_of, lengths_of, like, pooled_of

SECOND = ".second"


class SD3:
    """See `Family`."""

    name, masks = "SD3", False

    def __init__(self, network: Any):
        self.network, self.patch = network, int(network.config.patch_size)
        self.channels, self.text_width = network.config.in_channels, network.config.joint_attention_dim
        layers = []
        for layer, block in zip(
            layers_of(network, self.patch, Blocks("double", "transformer_blocks")), network.transformer_blocks
        ):
            layers.append(layer)
            if getattr(block, "attn2", None) is not None:
                layers.append(replace(layer, name=layer.name + SECOND, module=layer.module + "2"))
        self.layers = tuple(layers)

    def reader(self, layer: AttentionLayer) -> Reader:
        """See `Family.reader`."""
        return picture_alone if layer.name.endswith(SECOND) else two_streams

    def places(self, grid: tuple[int, int], cond: Conditioning) -> Places:
        """See `Family.places`."""
        return Places(grid, bias=bias_of(lengths_of(cond), cond.tokens.device, cond.tokens.shape[1]))

    def velocity(self, x_t: Tensor, t: Tensor, cond: Conditioning, guidance: float) -> Tensor:
        """See `Family.velocity`."""
        weight = like(self.network)
        return self.network(
            x_t.to(weight),
            encoder_hidden_states=cond.tokens.to(weight),
            pooled_projections=pooled_of(cond).to(weight),
            timestep=t * 1000.0,
            return_dict=False,
        )[0].float()
