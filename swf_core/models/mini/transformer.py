"""The transformer of a text-to-image UNet: self-attention, cross-attention and a gated feed-forward layer over tokens.

Classes, modules and weights are named as in diffusers, in the same order, so that LoRA files, weight files and tools
that look for those names find them; the arithmetic is Stable Diffusion's (Rombach et al., arXiv 2112.10752, 3.3). They
are here because importing diffusers' costs seconds (`docs/figures.md`, Time and memory).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

GROUPS = 32
FEED_FORWARD_FACTOR = 4

# Called with the attention module, tokens and context; gives tokens. Whoever edits attention puts one in place.
AttentionProcessor = Callable[..., Tensor]


def attend(attn: Attention, hidden_states: Tensor, encoder_hidden_states: Tensor | None = None) -> Tensor:
    """Plain attention: softmax(Q K^T / sqrt(d)) V of tokens [B, N, C] over a context [B, M, D], None: themselves."""
    context = hidden_states if encoder_hidden_states is None else encoder_hidden_states

    def heads(x: Tensor) -> Tensor:
        return x.view(x.shape[0], x.shape[1], attn.heads, -1).transpose(1, 2)  # [B, heads, N, d]

    q, k, v = heads(attn.to_q(hidden_states)), heads(attn.to_k(context)), heads(attn.to_v(context))
    out = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
    return attn.to_out[1](attn.to_out[0](out))


class Attention(nn.Module):
    """Attention whose `processor` can be exchanged; `context_width` None makes it self-attention."""

    # What processors written for diffusers' class ask for.
    norm_q = norm_k = None
    rescale_output_factor = 1.0

    def __init__(self, width: int, heads: int, context_width: int | None = None) -> None:
        super().__init__()
        self.heads, self.is_cross_attention = heads, context_width is not None
        self.to_q = nn.Linear(width, width, bias=False)
        self.to_k = nn.Linear(context_width or width, width, bias=False)
        self.to_v = nn.Linear(context_width or width, width, bias=False)
        self.to_out = nn.ModuleList([nn.Linear(width, width), nn.Dropout(0.0)])
        self.processor: AttentionProcessor = attend

    def forward(self, hidden_states: Tensor, encoder_hidden_states: Tensor | None = None) -> Tensor:
        """Tokens [B, N, C] and context [B, M, D] -> [B, N, C]."""
        return self.processor(self, hidden_states, encoder_hidden_states=encoder_hidden_states)


class GEGLU(nn.Module):
    """x W * GELU(x V) (Shazeer, arXiv 2002.05202, equation 6)."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.proj = nn.Linear(width, inner * 2)

    def forward(self, hidden_states: Tensor) -> Tensor:
        """[..., C] -> [..., inner]."""
        value, gate = self.proj(hidden_states).chunk(2, dim=-1)
        return value * F.gelu(gate)


class FeedForward(nn.Module):
    """The gated layer and its way back."""

    def __init__(self, width: int) -> None:
        super().__init__()
        inner = FEED_FORWARD_FACTOR * width
        self.net = nn.ModuleList([GEGLU(width, inner), nn.Dropout(0.0), nn.Linear(inner, width)])

    def forward(self, hidden_states: Tensor) -> Tensor:
        """[..., C] -> [..., C]."""
        for module in self.net:
            hidden_states = module(hidden_states)
        return hidden_states


class BasicTransformerBlock(nn.Module):
    """Self-attention, cross-attention and feed-forward, each after a layer norm and around a skip."""

    def __init__(self, width: int, heads: int, context_width: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attn1 = Attention(width, heads)
        self.norm2 = nn.LayerNorm(width)
        self.attn2 = Attention(width, heads, context_width)
        self.norm3 = nn.LayerNorm(width)
        self.ff = FeedForward(width)

    def forward(self, tokens: Tensor, context: Tensor) -> Tensor:
        """Tokens [B, N, C] and the text's [B, M, D] -> [B, N, C]."""
        tokens = self.attn1(self.norm1(tokens)) + tokens
        tokens = self.attn2(self.norm2(tokens), context) + tokens
        return self.ff(self.norm3(tokens)) + tokens


class Transformer2DModel(nn.Module):
    """A picture's cells as tokens, through transformer blocks, around a skip."""

    def __init__(self, width: int, heads: int, context_width: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(GROUPS, width, eps=1e-6)
        self.proj_in = nn.Conv2d(width, width, 1)
        self.transformer_blocks = nn.ModuleList([BasicTransformerBlock(width, heads, context_width)])
        self.proj_out = nn.Conv2d(width, width, 1)

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        """[B, C, h, w] and the text's tokens [B, M, D] -> [B, C, h, w]."""
        batch, _, height, width = x.shape
        tokens: Any = self.proj_in(self.norm(x)).permute(0, 2, 3, 1).reshape(batch, height * width, -1)
        for block in self.transformer_blocks:
            tokens = block(tokens, context)
        tokens = tokens.reshape(batch, height, width, -1).permute(0, 3, 1, 2).contiguous()
        return self.proj_out(tokens) + x


def timestep_embedding(timesteps: Tensor, width: int) -> Tensor:
    """Timesteps [B] as cosines and sines of falling frequencies [B, width] (Vaswani et al., arXiv 1706.03762, 3.5)."""
    half = width // 2
    exponent = -torch.log(torch.tensor(10000.0)) * torch.arange(half, dtype=torch.float32) / half
    angles = timesteps[:, None].float() * exponent.exp().to(timesteps.device)[None]
    return torch.cat([angles.cos(), angles.sin()], -1)
