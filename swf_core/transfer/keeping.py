"""At how many of a run's noise levels features are kept, so that they fit into memory.

What self-attention shows changes little from one level to the next. So where all levels would take much, only some are
kept, in half precision, and the nearest kept level stands for its neighbors; where even those do not fit, features are
evaluated anew at every level, which costs evaluations instead of memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..models.contracts import AttentionLayer
from .features import FeatureBank

# Features of one process, say of all styles, that are kept whole, and the most that is ever kept. SD1.5 at 512 pixels
# in 30 steps: 1.3 GB of a style in fp32, so 330 MB at every second level in fp16; SDXL at 1024 pixels in fp16: 870 MB.
WHOLE_BYTES, LIMIT_BYTES = 128 << 20, 1 << 30
# Thinned to fewer levels than that, neighbors would be too far from each other: measured for 15 of 30 and 8 of 15.
LEAST_LEVELS = 8
SOURCES = ("capture", "lockstep", "alternate")


@dataclass(frozen=True)
class Keeping:
    """How features are kept: at every so-manieth level, in which precision (`features.PRECISIONS`), and whether they
    are captured while a picture is inverted, or evaluated level by level.

    `wanted`, `kept`: bytes of all levels as the network computes them, and of those that are kept. `bank`: those that a
    bank takes at once; 0 where levels are not captured.
    """

    every: int
    precision: str
    captured: bool
    wanted: int
    kept: int
    bank: int = 0

    @property
    def fits(self) -> bool:
        """Whether all that the options want kept may be in memory at once."""
        return self.captured or not self.thinned

    @property
    def thinned(self) -> bool:
        """Whether memory decided, and not the options."""
        return self.kept < self.wanted

    def said(self, name: str) -> str:
        """A sentence on it."""
        how = "each is evaluated again when it is read, which costs time"
        if self.captured:
            how = f"{_WHICH[self.every]} is kept, in half precision ({_mb(self.kept)})"
        return f"Features of {name} at every noise level would take {_mb(self.wanted)}: {how}."


_WHICH = {1: "each", 2: "every second", 4: "every fourth", 8: "every eighth"}


def choose_keeping(
    features: str,
    precision: str,
    *,
    levels: int,
    level_bytes: int,
    itemsize: int,
    limit_bytes: int = LIMIT_BYTES,
    shared_by: int = 1,
) -> Keeping:
    """How features of `levels` noise levels are kept that take `level_bytes` each at the network's `itemsize`.

    `features`: "capture" keeps every level where that takes at most `WHOLE_BYTES` and `limit_bytes`, "alternate" every
    second; "lockstep" none. `precision`: what the options ask for; half where levels are thinned for memory.
    `shared_by`: how many processes share `limit_bytes`.
    """
    limit_bytes //= shared_by
    wanted = level_bytes * levels
    half = level_bytes * min(itemsize, 2) // itemsize
    asked = half if precision == "fp16" else level_bytes
    if features == "lockstep":
        return Keeping(1, precision, False, wanted, wanted)
    first = 2 if features == "alternate" else 1
    if (whole := asked * -(-levels // first)) <= min(WHOLE_BYTES // shared_by, limit_bytes):
        return Keeping(first, precision, True, wanted, wanted, whole)
    smaller = "fp16" if itemsize > 2 else precision
    for every in _WHICH:
        kept = half * -(-levels // every)
        enough = every > 1 or first == 1 and -(-levels // 2) < LEAST_LEVELS
        if enough and kept <= limit_bytes:
            return Keeping(every, smaller, True, wanted, kept, kept)
    return Keeping(1, precision, False, wanted, level_bytes)


def stand_ins(levels: Iterable[float], every: int) -> dict[float, float]:
    """Of each noise level the one whose features stand for it: the middle one of each `every` neighbors.

    The noisiest level, which an inversion does not evaluate at, is no such one where it has a neighbor.
    """
    falling = sorted(levels, reverse=True)
    groups = [falling[i : i + every] for i in range(0, len(falling), every)]
    return {level: group[min(every // 2, len(group) - 1)] for group in groups for level in group}


def planned_bank(
    layers: Iterable[str], parts: str, keeping: Keeping, levels: Iterable[float], device: str | None = None
) -> FeatureBank:
    """An empty bank for `parts` of the features that are read at `levels` in these layers, kept on a `device`."""
    standing = stand_ins(levels, keeping.every)
    room = len(set(standing.values())) if keeping.captured else 1
    return FeatureBank(layers, parts, keeping.precision, device, standing, room, keeping.bank)


def level_bytes(
    layers: Sequence[AttentionLayer], latent_cells: tuple[int, int], rows: int, parts: str, itemsize: int
) -> int:
    """Bytes of one level's features of `rows` latents of (height, width) cells: `parts` of "qkv" in these layers."""
    tokens = [layer.grid(*latent_cells) for layer in layers]
    values = sum(layer.channels * height * width for layer, (height, width) in zip(layers, tokens))
    return values * rows * len(parts) * itemsize


def _mb(size: int) -> str:
    return f"{size / 1e6:,.0f} MB"
