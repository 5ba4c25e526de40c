"""Self-attention over pairs of pictures: some of a batch are denoised with keys and values of another by the same hand.

Style transfer makes self-attention read another picture. A large model does so unprepared; a model of this size
learns its styles mostly by words and by its convolutions, and such reading changes little. So base-3 trains it: a
batch ends with P pictures and their P partners, other scenes with the same painter and parameters; a partner's
self-attention uses its own queries with the other's keys and values, in every layer, at the same noise level.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..models.mini.transformer import Attention


class PairedAttentionProcessor:
    """Plain attention, but the last `pairs` rows of a batch read the keys and values of the `pairs` rows before them.

    Plain matrix products, not the fused kernel: the fastest backward pass on a CPU at this size.
    """

    def __init__(self, pairs: int):
        self.pairs = pairs

    def __call__(self, attn: Attention, hidden_states: Tensor, encoder_hidden_states: Tensor | None = None) -> Tensor:
        context = hidden_states if encoder_hidden_states is None else encoder_hidden_states
        if encoder_hidden_states is None and self.pairs > 0:
            own, read = hidden_states[: -self.pairs], hidden_states[-2 * self.pairs : -self.pairs]
            context = torch.cat([own, read])

        def heads(x: Tensor) -> Tensor:
            return x.view(x.shape[0], x.shape[1], attn.heads, -1).transpose(1, 2)  # [B, heads, N, d]

        q, k, v = heads(attn.to_q(hidden_states)), heads(attn.to_k(context)), heads(attn.to_v(context))
        shares = (q @ k.transpose(2, 3) * q.shape[-1] ** -0.5).softmax(-1)
        return attn.to_out[1](attn.to_out[0]((shares @ v).transpose(1, 2).flatten(2)))
