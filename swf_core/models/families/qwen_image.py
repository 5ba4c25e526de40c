"""Qwen-Image: two streams; a picture's places are counted from its middle, text stands on the diagonal behind it.

arXiv 2508.02324, section 3.2 (MSRoPE). Of an odd number of rows the middle lies one further down in diffusers than in
ComfyUI, so that text is a step nearer there; within a picture it is the same.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ...errors import UserError
from ..contracts import AttentionLayer, Conditioning
from .attention import Places, Reader, two_streams
from .family import Blocks, bias_of, ids_along, layers_of, lengths_of, like, rope_of
from .packing import from_tokens, grid_of, to_tokens


class QwenImage:
    """See `Family`. Raises ValueError (UserError) for a network of layered pictures."""

    name, masks = "Qwen-Image", True

    def __init__(self, network: Any):
        config = network.config
        if config.get("use_layer3d_rope") or config.get("use_additional_t_cond"):
            raise UserError("This Qwen-Image makes layered pictures, which are not supported; use Qwen-Image itself.")
        self.network, self.patch = network, int(config.patch_size)
        self.channels, self.text_width = config.in_channels // self.patch**2, config.joint_attention_dim
        self.layers = layers_of(network, self.patch, Blocks("double", "transformer_blocks"))
        self.rope = rope_of(config.axes_dims_rope, centered=True)

    def reader(self, layer: AttentionLayer) -> Reader:
        """See `Family.reader`."""
        return two_streams

    def places(self, grid: tuple[int, int], cond: Conditioning) -> Places:
        """See `Family.places`."""
        length = cond.tokens.shape[1]
        return Places(
            grid,
            self.rope,
            text_ids=ids_along(length, 3, (0, 1, 2), max(grid) // 2),
            origin=torch.tensor([[0.0, -(grid[0] % 2), -(grid[1] % 2)]]),
            bias=bias_of(lengths_of(cond), cond.tokens.device, length),
        )

    def velocity(self, x_t: Tensor, t: Tensor, cond: Conditioning, guidance: float) -> Tensor:
        """See `Family.velocity`."""
        weight, grid = like(self.network), grid_of(x_t, self.patch)
        bias = bias_of(lengths_of(cond), weight.device, cond.tokens.shape[1])
        tokens = self.network(
            to_tokens(x_t, self.patch).to(weight),
            encoder_hidden_states=cond.tokens.to(weight),
            encoder_hidden_states_mask=None if bias is None else bias[:, 0, 0] == 0,
            timestep=t,
            img_shapes=[[(1, *grid)]] * len(cond),
            return_dict=False,
        )[0]
        return from_tokens(tokens, grid, self.patch)
