"""Z-Image: one row of tokens, the picture before the text, both filled up to multiples of 32 with tokens that are read.

arXiv 2511.22699. Its blocks are "block.<i>"; those before them refine text and picture apart and are left alone. On the
first axis text counts from 1, and the picture stands right behind it; what fills the picture up stands at 0.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ..contracts import AttentionLayer, Conditioning
from .attention import Places, Reader, one_row
from .family import Blocks, bias_of, ids_along, layers_of, lengths_of, like, rope_of

MULTIPLE = 32


class ZImage:
    """See `Family`."""

    name, masks = "Z-Image", True

    def __init__(self, network: Any):
        config = network.config
        self.network, self.patch = network, int(config.all_patch_size[0])
        self.channels, self.text_width = config.in_channels, config.cap_feat_dim
        self.layers = layers_of(network, self.patch, Blocks("block", "layers", "attention"))
        self.rope = rope_of(config.axes_dims, config.rope_theta)

    def reader(self, layer: AttentionLayer) -> Reader:
        """See `Family.reader`."""
        return one_row

    def places(self, grid: tuple[int, int], cond: Conditioning) -> Places:
        """See `Family.places`."""
        lengths, filling = [_filled(length) for length in lengths_of(cond)], _filled(grid[0] * grid[1])
        filling -= grid[0] * grid[1]
        return Places(
            grid,
            self.rope,
            text_ids=torch.cat([torch.zeros(filling, 3), ids_along(max(lengths), 3, (0,), 1)]),
            origin=torch.tensor([[length + 1.0, 0.0, 0.0] for length in lengths]),
            bias=bias_of(lengths, cond.tokens.device, first=filling),
            starts=[0] * len(cond),
        )

    def velocity(self, x_t: Tensor, t: Tensor, cond: Conditioning, guidance: float) -> Tensor:
        """See `Family.velocity`. Its time runs from noise to picture, and so its velocity is the other way."""
        weight = like(self.network)
        velocities = self.network(
            list(x_t.to(weight)[:, :, None]),
            1.0 - t,
            [tokens[:length].to(weight) for tokens, length in zip(cond.tokens, lengths_of(cond))],
            return_dict=False,
            patch_size=self.patch,
        )[0]
        return -torch.stack([velocity[:, 0] for velocity in velocities]).float()


def _filled(count: int) -> int:
    return count + -count % MULTIPLE
