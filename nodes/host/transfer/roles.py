"""What a reference process is to a sampling in ComfyUI."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ....swf_core.transfer.features import FeatureBank
from .denoiser import HostDenoiser, PlainConditioning


@dataclass(frozen=True, eq=False)
class Role:
    """What a reference process is to a sampling.

    * name: for errors. denoiser, text: who predicts, and under what.
    * rising: the levels that it is followed up, without 0; clean_at: the level that a clean latent is taken to be at.
    * reads: whether generation reads its features at a level. bank: where they go.
    * captured: whether there is memory to record them while the picture is inverted; else they are evaluated level by
      level, and no more than those of two levels are in memory. on_disk: whether it may be kept on disk.
    """

    name: str
    denoiser: HostDenoiser
    text: PlainConditioning
    rising: Sequence[float]
    clean_at: float
    reads: Callable[[float], bool]
    bank: FeatureBank
    captured: bool = True
    on_disk: bool = False
