"""Flux.2: as Flux, with four axes, the last of which counts the text's tokens, and no pooled text.

Its latents have squares of 2 x 2 cells laid into channels already, so that a cell is a token. Single blocks have
attention and feed-forward in one projection.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ..contracts import AttentionLayer, Conditioning
from .attention import Answer, Places, Reader, flat, heads, two_streams
from .family import Blocks, bias_of, ids_along, layers_of, lengths_of, like, rope_of
from .packing import from_tokens, grid_of, to_tokens


class Flux2:
    """See `Family`."""

    name, patch, masks = "Flux.2", 1, False

    def __init__(self, network: Any):
        self.network = network
        self.channels, self.text_width = network.config.in_channels, network.config.joint_attention_dim
        lists = Blocks("double", "transformer_blocks"), Blocks("single", "single_transformer_blocks")
        self.layers = layers_of(network, self.patch, *lists)
        self.rope = rope_of(network.config.axes_dims_rope, network.config.rope_theta, behind=1)

    def reader(self, layer: AttentionLayer) -> Reader:
        """See `Family.reader`."""
        return two_streams if layer.name.startswith("double.") else _fused_row

    def places(self, grid: tuple[int, int], cond: Conditioning) -> Places:
        """See `Family.places`."""
        length = cond.tokens.shape[1]
        bias = bias_of(lengths_of(cond), cond.tokens.device, length)
        return Places(grid, self.rope, self._text_ids(length), bias=bias, starts=[length] * len(cond))

    def velocity(self, x_t: Tensor, t: Tensor, cond: Conditioning, guidance: float) -> Tensor:
        """See `Family.velocity`."""
        weight, grid = like(self.network), grid_of(x_t, self.patch)
        tokens = self.network(
            to_tokens(x_t, self.patch).to(weight),
            encoder_hidden_states=cond.tokens.to(weight),
            timestep=t,
            img_ids=self.rope.grid_ids(*grid).float().to(weight.device),
            txt_ids=self._text_ids(cond.tokens.shape[1]).float().to(weight.device),
            guidance=torch.full_like(t, guidance) if self.network.config.guidance_embeds else None,
            return_dict=False,
        )[0]
        return from_tokens(tokens, grid, self.patch)

    def _text_ids(self, length: int) -> Tensor:
        return ids_along(length, len(self.rope.axes), (-1,))


def _fused_row(
    attn: Any, tokens: Tensor, text: Tensor | None, places: Places
) -> tuple[list[Tensor], list[Tensor], Answer]:
    """All tokens in one row, their projections and the feed-forward's in one."""
    fused = attn.to_qkv_mlp_proj(tokens)
    q, k, v, forward = fused.split([attn.inner_dim] * 3 + [fused.shape[-1] - 3 * attn.inner_dim], -1)
    size = attn.inner_dim // attn.heads
    parts = [places.apart(x) for x in (attn.norm_q(heads(q, size)), attn.norm_k(heads(k, size)), heads(v, size))]

    def answer(out: Tensor, text_out: Tensor) -> Tensor:
        return attn.to_out(torch.cat([flat(places.together(out, text_out)), attn.mlp_act_fn(forward)], -1))

    return [picture for picture, _ in parts], [rest for _, rest in parts], answer
