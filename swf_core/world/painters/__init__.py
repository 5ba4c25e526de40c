"""The painters: deterministic functions of a picture, its regions and a seed.

Nineteen styles, "photo" among them. A style is stroke and structure; color is the palette's, a factor of its own.
The last three are held out from the diffusion model's training, to ask what happens with styles it never saw.
No defining feature is finer than one latent cell of the embedded model (8 pixels at 128).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .brushes import charcoal, oil, pastel, strokes
from .canvas import Canvas
from .cells import cross_stitch, halftone, mosaic, pixel, pointillism, stained_glass
from .lines import blueprint, comic, neon, pencil, woodcut
from .washes import ink, papercut, watercolour


def photo(c: Canvas) -> np.ndarray:
    """The smooth photo itself, with its palette."""
    return c.image


PAINTERS: dict[str, Callable[[Canvas], np.ndarray]] = {
    "photo": photo,
    "oil": oil,
    "watercolour": watercolour,
    "ink": ink,
    "strokes": strokes,
    "pencil": pencil,
    "woodcut": woodcut,
    "mosaic": mosaic,
    "stained glass": stained_glass,
    "pointillism": pointillism,
    "halftone": halftone,
    "comic": comic,
    "charcoal": charcoal,
    "pastel": pastel,
    "pixel": pixel,
    "papercut": papercut,
    "neon": neon,
    "blueprint": blueprint,
    "cross-stitch": cross_stitch,
}
STYLES = tuple(PAINTERS)
HELD_OUT = ("neon", "blueprint", "cross-stitch")
TRAINED = tuple(s for s in STYLES if s not in HELD_OUT)
