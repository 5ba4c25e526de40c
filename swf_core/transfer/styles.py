"""A style as generation reads it: a process that shows keys and values, its weight, and where it counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from .features import FeatureBank, mask_to_grid
from .injection import StyleRows


class StyleProcess(Protocol):
    """A reference process as generation and the start latent use it; every host may have its own."""

    @property
    def bank(self) -> FeatureBank:
        """The features it has shown so far."""
        ...

    def ensure(self, *sigmas: float) -> None:
        """Have the features of these noise levels in the bank."""
        ...

    def statistics_at(self, sigma: float) -> Tensor:
        """The latent [1, C, h, w] whose channel statistics stand for the style's tones at `sigma`."""
        ...


@dataclass
class Style:
    """One style's process, its weight, its padded mask [h, w] of what may be read of it, and its place: a mask
    [1 or B, h, w] of where in the result it counts, None for everywhere."""

    process: StyleProcess
    weight: float
    readable: Tensor | None
    place: Tensor | None = None

    def rows(self, sigma: float, layer: str, place: Tensor | None = None) -> StyleRows:
        """What generation reads of it in one layer; `place`: its place on that layer's grid."""
        bank = self.process.bank
        readable = None if self.readable is None else mask_to_grid(self.readable, bank.grid(layer))[0]
        q = bank.get(sigma, layer, "q") if "q" in bank.parts else None
        return StyleRows(bank.get(sigma, layer, "k"), bank.get(sigma, layer, "v"), self.weight, readable, q, place)
