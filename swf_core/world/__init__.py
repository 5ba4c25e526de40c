"""A procedural world in which content and style are independent, so that the exact truth of a transfer exists.

`random_scene` says what is in the picture, `random_look` how it is made, `render` gives the picture. All are
byte-identical for the same seeds on the same machine.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter, median_filter

from .captions import MEDIA, STYLE_WORDS, caption, describe, vocabulary
from .look import Look, random_look
from .mixture import Mixture, random_mixture, render_mixture
from .painters import HELD_OUT, PAINTERS, STYLES, TRAINED
from .painters.canvas import Canvas
from .palette import PALETTES, Palette, settle
from .photo import render_photo
from .scene import COLORS, GROUNDS, OBJECTS, TIMES, Scene, Thing, random_scene

__all__ = [
    "COLORS",
    "GROUNDS",
    "HELD_OUT",
    "OBJECTS",
    "PALETTES",
    "STYLES",
    "TIMES",
    "TRAINED",
    "Look",
    "Mixture",
    "Palette",
    "MEDIA",
    "STYLE_WORDS",
    "Scene",
    "Thing",
    "caption",
    "describe",
    "paint",
    "random_look",
    "random_mixture",
    "random_scene",
    "regions_of",
    "render",
    "render_mixture",
    "render_photo",
    "vocabulary",
]


def render(scene: Scene, look: Look, size: int = 128) -> np.ndarray:
    """The truth: this scene by this painter, [size, size, 3] float32 in 0..1."""
    image, regions = render_photo(scene, size)
    return paint(image, look, regions)


def paint(image: np.ndarray, look: Look, regions: np.ndarray | None = None) -> np.ndarray:
    """Paint any picture [H, W, 3] in 0..1; without a region map one is made from its colors."""
    image = np.ascontiguousarray(image, dtype=np.float32)
    if regions is None:
        regions = regions_of(image)
    rng = np.random.default_rng([look.seed, 404])
    source = look.palette.apply(image)
    canvas = Canvas(source, regions, look.palette, look.width, look.angle, look.contrast, rng)
    painted = np.clip(PAINTERS[look.style](canvas), 0, 1)
    if look.style != "photo":
        painted = settle(painted, source, look.settling, rng)
    return np.clip(painted, 0, 1).astype(np.float32)


def regions_of(image: np.ndarray) -> np.ndarray:
    """Regions of a photograph: a few tones and hues of its smoothed colors, specks removed. [H, W] int32."""
    s = max(image.shape[:2]) / 128 * 2.2
    smooth = gaussian_filter(image, (s, s, 0))
    luma = smooth.mean(-1)
    warm, green = smooth[..., 0] - smooth[..., 2], smooth[..., 1] - (smooth[..., 0] + smooth[..., 2]) / 2
    cuts = np.quantile(luma, [0.25, 0.5, 0.75])
    label = np.digitize(luma, cuts) * 9 + np.digitize(warm, [-0.08, 0.12]) * 3 + np.digitize(green, [-0.06, 0.06])
    side = max(3, int(s * 2) | 1)
    if side <= 11:
        return median_filter(label, size=side).astype(np.int32)
    step = int(np.ceil(side / 7))  # on large pictures the specks are removed at a coarser grid
    coarse = median_filter(label[::step, ::step], size=7)
    return np.repeat(np.repeat(coarse, step, 0), step, 1)[: image.shape[0], : image.shape[1]].astype(np.int32)
