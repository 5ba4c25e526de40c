"""What a denoiser asks of a family of diffusion transformers, and where the tokens of one call stand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from ...errors import UserError
from ..contracts import AttentionLayer, Conditioning
from ..rope import RopeView
from .attention import Places, Reader


class Family(Protocol):
    """A family of networks, around one of them.

    * name: as people say it. patch: latent cells along a token's side. layers: see `Denoiser.self_attention_layers`.
    * channels: of its latents. text_width: of a text's token.
    * masks: whether the network itself leaves out what fills a text up; else every layer is edited where texts differ.
    """

    name: str
    patch: int
    channels: int
    text_width: int
    masks: bool
    layers: tuple[AttentionLayer, ...]

    def __init__(self, network: Any) -> None: ...

    def reader(self, layer: AttentionLayer) -> Reader:
        """How queries, keys and values of text and picture are had in a layer."""
        ...

    def places(self, grid: tuple[int, int], cond: Conditioning) -> Places:
        """Where the tokens of a call stand: a picture of `grid` tokens and its text, a row each."""
        ...

    def velocity(self, x_t: Tensor, t: Tensor, cond: Conditioning, guidance: float) -> Tensor:
        """The network's velocity eps - x0, [B, C, h, w] float32, of x_t [B, C, h, w], sides multiples of `patch`, at
        the times t [B] in 0..1."""
        ...


@dataclass(frozen=True)
class Blocks:
    """A list of a network's blocks, its attribute, and what they are called; `attention`: of one."""

    kind: str
    attribute: str
    attention: str = "attn"


def layers_of(network: Any, patch: int, *lists: Blocks) -> tuple[AttentionLayer, ...]:
    """The attention of some lists of blocks, in running order: "<kind>.<index>" each."""
    layers = []
    for blocks in lists:
        for index, block in enumerate(getattr(network, blocks.attribute)):
            attn = getattr(block, blocks.attention)
            channels = attn.to_q.out_features if hasattr(attn, "to_q") else attn.inner_dim
            module = f"{blocks.attribute}.{index}.{blocks.attention}"
            layers.append(AttentionLayer(f"{blocks.kind}.{index}", int(math.log2(patch)), module, channels))
    return tuple(layers)


def check_fits(family: Family, x_t: Tensor, cond: Conditioning) -> None:
    """Raise ValueError (UserError) for latents of other channels, or a text of another width."""
    for what, given, read in (
        ("latents of {} channels", x_t.shape[1], family.channels),
        ("texts of width {}", cond.tokens.shape[-1], family.text_width),
    ):
        if given != read:
            raise UserError(
                f"This {family.name} network reads {what.format(read)}, and {what.format(given)} were given; use the "
                "autoencoder and the text encoder that belong to it."
            )


def like(network: Any) -> Tensor:
    """A weight: of the device and the dtype that the network computes with."""
    return next(network.parameters())


def pooled_of(cond: Conditioning) -> Tensor:
    """The pooled row. Raises ValueError (UserError) where the text has none."""
    if cond.pooled is None:
        raise UserError("This model reads a pooled text beside its tokens, and the text encoder gave none.")
    return cond.pooled


def lengths_of(cond: Conditioning) -> list[int]:
    """How many tokens of each text are read."""
    return [cond.tokens.shape[1]] * len(cond) if cond.lengths is None else cond.lengths.tolist()


def bias_of(lengths: list[int], device: torch.device, total: int | None = None, first: int = 0) -> Tensor | None:
    """Log-odds [B, 1, 1, first + total] of `first` tokens that are read and of texts filled up to `total` tokens, the
    longest by default: -inf for what fills them up. None where nothing does."""
    total = max(lengths) if total is None else total
    if all(length == total for length in lengths):
        return None
    fills = torch.arange(first + total)[None] >= first + torch.tensor(lengths)[:, None]
    return torch.zeros(fills.shape).masked_fill_(fills, -math.inf)[:, None, None].to(device)


def ids_along(count: int, axes: int, along: Sequence[int], start: int = 0) -> Tensor:
    """Ids [count, axes] that count from `start` along some axes; 0 on the others."""
    ids = torch.zeros(count, axes, dtype=torch.float64)
    ids[:, list(along)] = start + torch.arange(count, dtype=torch.float64)[:, None]
    return ids


def rope_of(axes: Any, theta: float = 10000.0, **more: Any) -> RopeView:
    """A network's positions from its config."""
    return RopeView(tuple(int(size) for size in axes), float(theta), **more)
