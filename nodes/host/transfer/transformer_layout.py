"""Where the picture lies among the tokens of a diffusion transformer, and which of its calls is which layer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ....swf_core.models.contracts import AttentionLayer
from ....swf_core.models.rope import RopeView

# Where a picture's tokens begin: at the first token; behind the text, with reference pictures behind them; behind text
# and reference pictures; behind as much of the text as is no filling.
FIRST, BEFORE_REFERENCES, LAST, AFTER_TEXT = "first", "before references", "last", "after text"


@dataclass(frozen=True)
class TransformerLayout:
    """The attention of a diffusion transformer in the host.

    * layers: those of ours, in running order. blocks: by the key of the host's block replacement, (kind, index), the
      layers of that block in the order in which it calls attention; empty where the host replaces no blocks.
    * leading: how many calls of attention come before the first of our layers, where they are counted; how many more
      where the call has reference pictures.
    * order: where the picture's tokens lie, one of the names above. patch: latent cells along a token's side.
    * rope: its rotary positions, None without. text_width: numbers of a text's token that it reads.
    * text_first: whether the picture stands behind the text on the first axis. text_step: text tokens are filled up to
      multiples of it. reads_filling: whether tokens that fill a text up count like any others.
    """

    layers: tuple[AttentionLayer, ...]
    blocks: Mapping[tuple[str, int], tuple[str, ...]]
    leading: tuple[int, int]
    order: str
    patch: int
    rope: RopeView | None
    text_width: int
    text_first: bool = False
    text_step: int = 1
    reads_filling: bool = False


@dataclass(frozen=True)
class CallSize:
    """What is known of a call of the network before it runs: latent height and width, the tokens of its text, which of
    them are read in each row [rows, L] (None for all), and rows and columns of tokens of reference pictures."""

    height: int
    width: int
    text: int
    readable: Tensor | None
    references: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class PictureTokens:
    """The picture among the tokens of a row: the first, rows and columns, and where it begins ([1, axes], see
    `RopeView.grid_ids`)."""

    first: int
    grid: tuple[int, int]
    origin: Tensor | None

    @property
    def span(self) -> slice:
        """Its tokens."""
        return slice(self.first, self.first + self.grid[0] * self.grid[1])


def call_size(layout: TransformerLayout, arguments: Mapping[str, Any]) -> CallSize:
    """Of what the host's `apply_model` is called with."""
    x, text, references = arguments["x"], arguments.get("c_crossattn"), arguments.get("ref_latents") or ()
    mask = arguments.get("attention_mask")
    readable = mask if mask is not None and text is not None and mask.dim() == 2 else None
    return CallSize(
        *x.shape[-2:],
        0 if text is None else int(text.shape[1]),
        readable,
        tuple(_grid(layout, *latent.shape[-2:]) for latent in references),
    )


def picture_tokens(layout: TransformerLayout, size: CallSize, row: int, tokens: int) -> PictureTokens | None:
    """Where a row's picture lies in an attention call of so many tokens; None where it has no room among them."""
    grid = _grid(layout, size.height, size.width)
    count, beside = grid[0] * grid[1], sum(rows * columns for rows, columns in size.references)
    counted = size.readable is not None and not layout.reads_filling
    text = int(size.readable[row].sum()) if counted else size.text  # type: ignore[index]
    text = -(-text // layout.text_step) * layout.text_step
    first = {
        FIRST: 0,
        BEFORE_REFERENCES: tokens - count - beside,
        LAST: tokens - count,
        AFTER_TEXT: text,
    }[layout.order]
    if first < 0 or first + count > tokens:
        return None
    origin = None
    if layout.text_first and layout.rope is not None:
        origin = torch.zeros(1, len(layout.rope.axes))
        origin[0, 0] = text + sum(max(rows, columns) for rows, columns in size.references)
    return PictureTokens(first, grid, origin)


def _grid(layout: TransformerLayout, height: int, width: int) -> tuple[int, int]:
    return -(-height // layout.patch), -(-width // layout.patch)
