"""The feature bank: what the reference processes showed inside self-attention, by (sigma, layer).

Content leaves its queries, style its keys and values. The bank is filled in lockstep (just before generation's call at
the same sigma) or captured while a picture is inverted, which costs nothing extra (StyleID).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from ..masks import resize_mask
from ..models.contracts import AttentionEdit, AttentionLayer, JointTokens
from .injection import Injection

# None: as the network computes them, so that one in half precision fills no memory with zeros behind its numbers.
PRECISIONS = {"fp32": None, "fp16": torch.float16}
_ALIGNED = 64  # bytes at whose multiples blocks begin


def parts_read(injection: Injection, leak_guard: float) -> str:
    """Which of a style's "q", "k", "v" generation reads, and its bank must keep."""
    return "qkv" if leak_guard > 0.0 or injection.query_adain > 0.0 else "kv"


def content_parts(injection: Injection) -> str:
    """The same of content's."""
    return "q" if injection.read == "style" else "qkv"


class FeatureBank:
    """Holds features of one reference process (one batch of equal size) until `clear`.

    * parts: which of "q", "k", "v" are kept. precision: "fp32", which is the network's own at most, or "fp16" for half
      the memory of a network in fp32. device: where they are kept, None for where they come from.
    * stand_ins: of noise levels those whose features stand for them (`keeping.stand_ins`); others stand for themselves.
    * room: for how many levels memory is taken at once; size_bytes: how much for all layers, 0 for each layer's when it
      comes. What came bit by bit between a network's own passing tensors would leave holes: nearly twice the memory on
      SD1.5's shape where levels do, a fifth more where layers do.
    """

    def __init__(
        self,
        layers: Iterable[str],
        parts: str,
        precision: str = "fp32",
        device: torch.device | str | None = None,
        stand_ins: Mapping[float, float] | None = None,
        room: int = 1,
        size_bytes: int = 0,
    ):
        self.layers, self.parts, self.precision, self._device = frozenset(layers), parts, precision, device
        self._stand_ins, self._room = dict(stand_ins or {}), max(1, room)
        self._thinned = any(level != kept for level, kept in self._stand_ins.items())
        self._dtype = PRECISIONS[precision]
        self._size_bytes = size_bytes + _ALIGNED * len(self.layers) * len(parts) if size_bytes else 0
        self._reserve: Tensor | None = None
        self._reserved = 0  # bytes of it that are given out
        self._held = 0  # bytes of features that are recorded
        # each of [room, rows, heads, tokens, d]; a level lies in one place of them all
        self._blocks: dict[tuple[str, str], list[Tensor]] = {}
        self._places: dict[float, int] = {}
        self._free: list[int] = []
        self._recorded: set[tuple[float, str]] = set()
        self._grids: dict[str, tuple[int, int]] = {}

    def recorder(self, sigma: float) -> AttentionEdit:
        """An edit that changes nothing and stores what passes by under `sigma`."""

        def record(
            layer: AttentionLayer,
            q: Tensor,
            k: Tensor,
            v: Tensor,
            grid: tuple[int, int],
            scale: float,
            joint: JointTokens | None = None,
        ) -> None:
            heads = {"q": q, "k": k, "v": v}
            for part in self.parts:
                self.put(sigma, layer.name, part, heads[part], grid)

        return AttentionEdit(self.layers, record)

    def put(self, sigma: float, layer: str, part: str, heads: Tensor, grid: tuple[int, int]) -> None:
        """Store one part of a layer [rows, heads, tokens, d]; the last of a layer's parts makes it whole."""
        self._slot(sigma, layer, part, heads).copy_(heads.detach())
        self._grids[layer] = grid
        if part == self.parts[-1] and (sigma, layer) not in self._recorded:
            self._recorded.add((sigma, layer))
            self._held += self._bytes_of(layer)

    def items(self) -> Iterator[tuple[float, str, str, Tensor]]:
        """All that is stored, in one order whenever it is the same: level, layer, part, tensor."""
        for sigma, layer in sorted(self._recorded):
            for part in self.parts:
                yield sigma, layer, part, self.get(sigma, layer, part)

    def stand_in(self, sigma: float) -> float:
        """The level whose features are read at `sigma`: between thinned levels, where some samplers ask, the nearest by
        ratio."""
        if self._thinned and sigma > 0.0 and sigma not in self._stand_ins:
            return min(set(self._stand_ins.values()), key=lambda kept: abs(math.log(kept / sigma)))
        return self._stand_ins.get(sigma, sigma)

    def has(self, sigma: float) -> bool:
        """Whether the features that are read at this very sigma are there."""
        return all((self.stand_in(sigma), layer) in self._recorded for layer in self.layers)

    def get(self, sigma: float, layer: str, part: str) -> Tensor:
        """[rows, heads, tokens, d] as stored. Raises KeyError when nothing was stored for `sigma`."""
        kept = self.stand_in(sigma)
        if (kept, layer) not in self._recorded:
            raise KeyError((kept, layer))
        block, row = divmod(self._places[kept], self._room)
        return self._blocks[layer, part][block][row]

    def grid(self, layer: str) -> tuple[int, int]:
        """Rows and columns of tokens in `layer`."""
        return self._grids[layer]

    def forget(self, sigma: float) -> None:
        """Drop what was stored under one sigma; its place is the next one's."""
        gone = {(sigma, layer) for layer in self.layers} & self._recorded
        self._recorded -= gone
        self._held -= sum(self._bytes_of(layer) for _, layer in gone)
        if (place := self._places.pop(sigma, None)) is not None:
            self._free.append(place)

    def passed(self, sigma: float) -> None:
        """Generation, going down the levels, has read this one: what no lower level reads is dropped."""
        kept = self.stand_in(sigma)
        if not any(level < sigma for level, stand_in in self._stand_ins.items() if stand_in == kept):
            self.forget(kept)

    def size_bytes(self) -> int:
        """Memory that the features held take."""
        return self._held

    def clear(self) -> None:
        """Drop everything."""
        for held in (self._blocks, self._places, self._free, self._recorded):
            held.clear()
        self._reserve, self._reserved, self._held = None, 0, 0

    def _bytes_of(self, layer: str) -> int:
        """Of all parts of a layer at one level."""
        return sum(self._blocks[layer, part][0][0].nbytes for part in self.parts)

    def _slot(self, sigma: float, layer: str, part: str, like: Tensor) -> Tensor:
        """Where a part of a level goes, of the shape of `like`."""
        if sigma not in self._places:
            self._places[sigma] = self._free.pop() if self._free else len(self._places)
        number, row = divmod(self._places[sigma], self._room)
        blocks = self._blocks.setdefault((layer, part), [])
        while len(blocks) <= number:
            blocks.append(self._memory((self._room, *like.shape), like))
        return blocks[number][row]

    def _memory(self, shape: tuple[int, ...], like: Tensor) -> Tensor:
        """Memory for a block, of what was taken for all where that reaches."""
        device, dtype = self._device or like.device, self._dtype or like.dtype
        size = math.prod(shape) * dtype.itemsize
        if self._reserve is None and self._size_bytes:
            self._reserve = torch.empty(self._size_bytes, dtype=torch.uint8, device=device)
        if self._reserve is None or self._reserved + size > len(self._reserve):
            return torch.empty(shape, device=device, dtype=dtype)
        block = self._reserve[self._reserved : self._reserved + size].view(dtype).view(shape)
        self._reserved += -(-size // _ALIGNED) * _ALIGNED
        return block


# Top, left, height and width of a part of a picture, each as a share of the whole side.
Box = tuple[float, float, float, float]


def to_grid(tokens: Tensor, have: tuple[int, int], want: tuple[int, int], box: Box | None = None) -> Tensor:
    """Tokens [B, heads, rows*columns, d] of one grid, or of a part of it, resampled to another.

    Bilinear; averaged over areas when shrinking.
    """
    if have == want and box is None:
        return tokens
    batch, heads, _, d = tokens.shape
    maps = tokens.transpose(-1, -2).reshape(batch, heads * d, *have).float()
    maps = F.interpolate(cut_out(maps, box), want, mode="bilinear", align_corners=False, antialias=True)
    return maps.reshape(batch, heads, d, -1).transpose(-1, -2).to(tokens.dtype)


def mask_to_grid(mask: Tensor, grid: tuple[int, int], box: Box | None = None) -> Tensor:
    """A mask [H, W] or [B, H, W] in 0..1 at any resolution, or a part of it -> [1 or B, rows*columns]."""
    mask = mask if mask.dim() == 3 else mask[None]
    return resize_mask(cut_out(mask, box), grid).flatten(1)


def cut_out(maps: Tensor, box: Box | None) -> Tensor:
    """The part of [..., H, W] in a box, at least one cell in each direction."""
    if box is None:
        return maps
    (top, left, high, wide), (height, width) = box, maps.shape[-2:]
    first_row, first_column = min(round(top * height), height - 1), min(round(left * width), width - 1)
    rows, columns = max(1, round(high * height)), max(1, round(wide * width))
    return maps[..., first_row : first_row + rows, first_column : first_column + columns]
