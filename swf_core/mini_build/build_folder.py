"""The folder of one build and what every stage asks of it: settings, rendered pictures, latents, finished weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from ..errors import UserError
from ..models.mini.vae import NarrowAutoencoder
from ..models.mini.weight_files import read_weights, sha256
from . import stage_base
from .data import SIZE, rendered
from .training_loop import Progress, StageSettings

# A callback for each named bar: value in 0..1 and, where there is one, a word on how it goes.
Bars = Callable[[str], Callable[..., None]]


@dataclass(frozen=True)
class Build:
    """One call of `build_family`: its folder, the sizes of the picture sets, seed, time limit per stage, progress."""

    out: Path
    counts: Mapping[str, int]
    seed: int
    max_seconds: float | None
    progress: Bars | None
    packages: Path | None = None  # unpacked packages, whose pictures mini-flow's stages learn from

    @property
    def weights(self) -> Path:
        return self.out / "weights"

    def bar(self, name: str) -> Progress | None:
        """A bar of its own for one stage or one set."""
        if self.progress is None:
            return None
        bar = self.progress(name)
        return lambda value, word="": bar(value, word or None)

    def settings(self, stage: str, offset: int) -> StageSettings:
        """The settings of a stage, whose seed is the build's plus `offset`."""
        return StageSettings(self.out / stage, self.seed + offset, self.bar(stage), self.max_seconds)

    def pictures(self, name: str) -> np.ndarray:
        """A rendered set of pictures."""
        return self.counted(name, self.counts[name])

    def counted(self, name: str, count: int, size: int = SIZE) -> np.ndarray:
        """The first `count` pictures of a set, rendered at `size` px."""
        bar = self.bar(f"pictures: {name}, {size} px")
        return rendered(name, count, self.out / "pictures", progress=bar, size=size)

    def latents(self, name: str, vae: NarrowAutoencoder) -> torch.Tensor:
        """The latents of a set of pictures."""
        pictures = self.pictures(name)
        # Latents belong to one autoencoder: its checksum is in their name.
        checksum = sha256(self.weights / "vae.safetensors")[:8]
        path = self.out / "pictures" / f"latents_{name}_{self.counts[name]}_{checksum}.npy"
        return stage_base.encode_all(vae, pictures, path, self.bar(f"latents: {name}"))


def stage_weights(path: Path, stage: str) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    if not path.exists():
        raise UserError(f"'{path}' is missing: run the stage {stage!r} first, or copy the shipped weights there.")
    return read_weights(path)
