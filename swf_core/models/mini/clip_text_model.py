"""The embedded text encoder's network: CLIP's text transformer (Radford et al., arXiv 2103.00020, 2.4), small.

Classes, modules and weights are named as in transformers (5), in the same order, and compute the same; importing
transformers for two layers costs more than the rest of a start.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class TextOutput(NamedTuple):
    """What `ClipText` reads of a text model: [B, L, C] after the last layer norm; after the embedding and each layer
    where that was asked for."""

    last_hidden_state: Tensor
    hidden_states: tuple[Tensor, ...] | None = None


class CLIPTextEmbeddings(nn.Module):
    """A vector per word and one per place."""

    position_ids: Tensor

    def __init__(self, words: int, width: int, places: int) -> None:
        super().__init__()
        self.token_embedding = nn.Embedding(words, width)
        self.position_embedding = nn.Embedding(places, width)
        self.register_buffer("position_ids", torch.arange(places), persistent=False)

    def forward(self, ids: Tensor) -> Tensor:
        """Ids [B, L] -> [B, L, C]."""
        return self.token_embedding(ids) + self.position_embedding(self.position_ids[: ids.shape[1]])


class CLIPAttention(nn.Module):
    """Causal self-attention: a word sees itself and those before."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.k_proj, self.v_proj, self.q_proj, self.out_proj = (nn.Linear(width, width) for _ in range(4))

    def forward(self, x: Tensor) -> Tensor:
        """[B, L, C] -> [B, L, C]."""

        def heads(y: Tensor) -> Tensor:
            return y.view(*y.shape[:2], self.heads, -1).transpose(1, 2)  # [B, heads, L, d]

        q, k, v = heads(self.q_proj(x)), heads(self.k_proj(x)), heads(self.v_proj(x))
        out = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.out_proj(out.transpose(1, 2).flatten(2))


class CLIPMLP(nn.Module):
    """Two layers with CLIP's quick GELU between them."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(width, inner), nn.Linear(inner, width)

    def forward(self, x: Tensor) -> Tensor:
        """[..., C] -> [..., C]."""
        x = self.fc1(x)
        return self.fc2(x * torch.sigmoid(1.702 * x))


class CLIPEncoderLayer(nn.Module):
    """Attention and the two layers, each after a layer norm and around a skip."""

    def __init__(self, width: int, heads: int, inner: int) -> None:
        super().__init__()
        self.self_attn = CLIPAttention(width, heads)
        self.layer_norm1 = nn.LayerNorm(width)
        self.mlp = CLIPMLP(width, inner)
        self.layer_norm2 = nn.LayerNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        """[B, L, C] -> [B, L, C]."""
        x = x + self.self_attn(self.layer_norm1(x))
        return x + self.mlp(self.layer_norm2(x))


class CLIPEncoder(nn.Module):
    """The layers."""

    def __init__(self, width: int, layers: int, heads: int, inner: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList([CLIPEncoderLayer(width, heads, inner) for _ in range(layers)])


class CLIPTextModel(nn.Module):
    """Ids [B, L] to a vector for each place. Untrained weights are drawn as CLIP's (its section 2.5)."""

    def __init__(self, words: int, width: int, places: int, layers: int, heads: int) -> None:
        super().__init__()
        self.embeddings = CLIPTextEmbeddings(words, width, places)
        self.encoder = CLIPEncoder(width, layers, heads, 4 * width)
        self.final_layer_norm = nn.LayerNorm(width)
        self._draw(width, layers)

    def forward(self, input_ids: Tensor, output_hidden_states: bool = False) -> TextOutput:
        """Ids [B, L], L at most the number of places."""
        states = [self.embeddings(input_ids)]
        for layer in self.encoder.layers:
            states.append(layer(states[-1]))
        return TextOutput(self.final_layer_norm(states[-1]), tuple(states) if output_hidden_states else None)

    @torch.no_grad()
    def _draw(self, width: int, layers: int) -> None:
        into_skip = width**-0.5 * (2 * layers) ** -0.5
        deviations = {"out_proj": width**-0.5, "fc1": (2 * width) ** -0.5, "embedding": 0.02}
        for name, value in self.named_parameters():
            if name.endswith("bias"):
                value.zero_()
            elif "layer_norm" not in name:
                value.normal_(std=next((d for part, d in deviations.items() if part in name), into_skip))
