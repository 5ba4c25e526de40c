"""How a picture is made: the painter, its parameters and its palette, drawn by a seed."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .painters import PAINTERS, STYLES
from .palette import Palette, random_palette


@dataclass(frozen=True)
class Look:
    """How a picture is made: painter, its parameters, its palette, and the seed of its accidents."""

    style: str
    width: float
    angle: float
    contrast: float
    palette: Palette
    settling: float
    seed: int

    def reseeded(self, seed: int) -> Look:
        """The same painter and parameters on another day: another stroke here and there."""
        return replace(self, seed=seed)


def random_look(style: str, seed: int, palette: str | None = None) -> Look:
    """Draw the parameters of a painter. A photo keeps its natural palette unless another is named."""
    if style not in PAINTERS:
        raise ValueError(f"There is no painter {style!r}; choose one of {', '.join(STYLES)}.")
    rng = np.random.default_rng([seed, 303])
    width, angle, contrast = 0.88 + 0.30 * rng.random(), 1.1 * (2 * rng.random() - 1), 0.82 + 0.36 * rng.random()
    colors = random_palette(rng, "natural" if style == "photo" and palette is None else palette)
    # Neon needs its darkness and blueprint its blue; all others take the scene's own range of colors.
    settling = float((0.3 if style in ("neon", "blueprint") else 0.8) + 0.2 * rng.random())
    return Look(style, float(width), float(angle), float(contrast), colors, settling, seed)
