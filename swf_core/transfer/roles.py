"""What a reference process is to a run: who predicts it under which text, and what generation reads of it."""

from __future__ import annotations

from dataclasses import dataclass

from ..models.contracts import Conditioning, Denoiser
from .features import FeatureBank


@dataclass(frozen=True, eq=False)
class Role:
    """What a reference process is to a run: its name in the cost, who predicts under which text, and where its features
    go.

    `levels`: those at which generation reads them. `captured`: whether they are taken along while it is inverted; else
    they are evaluated level by level. `stays`: whether there is room for them all at once.
    """

    name: str
    denoiser: Denoiser
    cond: Conditioning
    bank: FeatureBank
    levels: frozenset[float]
    captured: bool = True
    stays: bool = True
