"""Self-attention over pairs of pictures: some of a batch are denoised with keys and values of another by the same hand.

Style transfer makes self-attention read another picture. A large model does so unprepared; a model of this size
learns its styles mostly by words and by its convolutions, and such reading changes little. So base-3 trains it: a
batch ends with P pictures and their P partners, other scenes with the same painter and parameters; a partner's
self-attention uses its own queries with the other's keys and values, in every layer, at the same noise level.
"""

from __future__ import annotations

from typing import Any

import torch
from diffusers.models.attention_processor import Attention, AttnProcessor
from torch import Tensor


class PairedAttentionProcessor(AttnProcessor):
    """Plain attention, but the last `pairs` rows of a batch read the keys and values of the `pairs` rows before them.

    Plain matrix products, not the fused kernel: the fastest backward pass on a CPU at this size.
    """

    def __init__(self, pairs: int):
        self.pairs = pairs

    def __call__(
        self,
        attn: Attention,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        *args: Any,
        **named: Any,
    ) -> Tensor:
        if encoder_hidden_states is None and self.pairs > 0:
            own, read = hidden_states[: -self.pairs], hidden_states[-2 * self.pairs : -self.pairs]
            encoder_hidden_states = torch.cat([own, read])
        return super().__call__(attn, hidden_states, encoder_hidden_states, *args, **named)
