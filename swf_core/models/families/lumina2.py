"""Lumina Image 2.0: one row of tokens, text before the picture, which begins where the text ends on the first axis.

arXiv 2503.21758. Its blocks are "block.<i>"; those before them refine text and picture apart and are left alone. Each
row of a batch has its picture right behind its own text, so what fills a row up stands at its end.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ..contracts import AttentionLayer, Conditioning
from .attention import Places, Reader, one_row
from .family import Blocks, bias_of, ids_along, layers_of, lengths_of, like, rope_of


class Lumina2:
    """See `Family`."""

    name, masks = "Lumina2", True

    def __init__(self, network: Any):
        self.network, self.patch = network, int(network.config.patch_size)
        self.channels, self.text_width = network.config.in_channels, network.config.cap_feat_dim
        self.layers = layers_of(network, self.patch, Blocks("block", "layers"))
        self.rope = rope_of(network.config.axes_dim_rope)

    def reader(self, layer: AttentionLayer) -> Reader:
        """See `Family.reader`."""
        return one_row

    def places(self, grid: tuple[int, int], cond: Conditioning) -> Places:
        """See `Family.places`."""
        lengths = lengths_of(cond)
        return Places(
            grid,
            self.rope,
            text_ids=ids_along(max(lengths), 3, (0,)),
            origin=torch.tensor([[float(length), 0.0, 0.0] for length in lengths]),
            bias=bias_of(lengths, cond.tokens.device),
            starts=lengths,
        )

    def velocity(self, x_t: Tensor, t: Tensor, cond: Conditioning, guidance: float) -> Tensor:
        """See `Family.velocity`. Its time runs from noise to picture, and so its velocity is the other way."""
        weight, lengths = like(self.network), torch.tensor(lengths_of(cond))
        read = torch.arange(cond.tokens.shape[1])[None] < lengths[:, None]
        return -self.network(
            x_t.to(weight),
            timestep=1.0 - t,
            encoder_hidden_states=cond.tokens.to(weight),
            encoder_attention_mask=read.long().to(weight.device),
            return_dict=False,
        )[0].float()
