"""Hands that no word names: the painters on wider ranges, drawn out, and two at a time.

A network that knows sixteen painters can tell a style from a glance at another picture and draw what it knows. A hand
that is drawn anew for every pair of pictures can only be read. The held-out painters are never among them, and a hand's
luma and chroma follow the scene's as closely as a painting's (`palette.settle`), where neon's and blueprint's do not.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from .look import Look
from .noise import smooth_noise
from .painters import PAINTERS, TRAINED
from .painters.canvas import Canvas, step
from .palette import random_palette, settle
from .photo import render_photo
from .scene import Scene

# How two painters share a picture: the second paints on the first's painting, both paint the scene and are laid over
# each other, the second has the darks and the first the lights; or the first paints alone.
RULES = ("over", "blend", "tones", "alone")
_RULE_SHARES = (0.30, 0.25, 0.20, 0.25)
PAINTERS_TO_MIX = tuple(s for s in TRAINED if s != "photo")


@dataclass(frozen=True)
class Mixture:
    """Two painters' parameters, with one palette and one seed (`Look`), and how they share a picture.

    `share` is the second painter's, 0..1; `stretch` makes marks longer than they are broad, by 1 to 1.5, along x or
    (`upright`) along y.
    """

    first: Look
    second: Look
    rule: str
    share: float
    stretch: float
    upright: bool

    def reseeded(self, seed: int) -> Mixture:
        """The same hand on another day: another stroke here and there."""
        return replace(self, first=self.first.reseeded(seed), second=self.second.reseeded(seed))


def random_mixture(seed: int) -> Mixture:
    """Draw a hand: width 0.85 to 1.75, any direction, contrast 0.7 to 1.6.

    A painter's own ranges are 0.88 to 1.18, 63 degrees either way, 0.82 to 1.18 (`random_look`).
    """
    rng = np.random.default_rng([seed, 606])
    palette = random_palette(rng)
    settling = float(0.8 + 0.2 * rng.random())
    looks = []
    for style in rng.choice(PAINTERS_TO_MIX, 2, replace=False):
        width = 0.85 * (1.75 / 0.85) ** rng.random()
        angle, contrast = np.pi / 2 * (2 * rng.random() - 1), 0.7 * (1.6 / 0.7) ** rng.random()
        looks.append(Look(str(style), float(width), float(angle), float(contrast), palette, settling, seed))
    rule = str(rng.choice(RULES, p=_RULE_SHARES))
    share, stretch = 0.3 + 0.4 * rng.random(), 1.0 + 0.5 * max(0.0, 2 * rng.random() - 1)
    return Mixture(looks[0], looks[1], rule, float(share), float(stretch), bool(rng.random() < 0.5))


def render_mixture(scene: Scene, hand: Mixture, size: int = 128) -> np.ndarray:
    """This scene by this hand, [size, size, 3] float32 in 0..1."""
    image, regions = render_photo(scene, size)
    rng = np.random.default_rng([hand.first.seed, 707])
    short = size if hand.stretch == 1.0 else max(8, round(size / hand.stretch))
    box = (size, short) if hand.upright else (short, size)
    source = hand.first.palette.apply(_resized(image, box))
    regions = np.asarray(Image.fromarray(regions).resize(box, Image.Resampling.NEAREST))
    painted = _resized(np.clip(_marks(source, regions, hand, rng), 0, 1), (size, size))
    painted = settle(painted, hand.first.palette.apply(image), hand.first.settling, rng)
    return np.clip(painted, 0, 1).astype(np.float32)


def _marks(source: np.ndarray, regions: np.ndarray, hand: Mixture, rng: np.random.Generator) -> np.ndarray:
    def painting(image: np.ndarray, look: Look) -> tuple[np.ndarray, Canvas]:
        canvas = Canvas(image, regions, look.palette, look.width, look.angle, look.contrast, rng)
        return PAINTERS[look.style](canvas), canvas

    first, canvas = painting(source, hand.first)
    if hand.rule == "alone":
        return first
    below = np.clip(first, 0, 1).astype(np.float32) if hand.rule == "over" else source
    second, _ = painting(below, hand.second)
    if hand.rule in ("over", "blend"):
        return first * (1 - hand.share) + second * hand.share
    # The border between lights and darks is uneven, and as soft as a brush.
    uneven = 0.08 * smooth_noise(rng, *canvas.shape, 18 * canvas.unit)
    dark = step(np.quantile(canvas.tone, hand.share) - canvas.tone + uneven, 0.08)[..., None]
    return first * (1 - dark) + second * dark


def _resized(image: np.ndarray, box: tuple[int, int]) -> np.ndarray:
    """An image [H, W, 3] at (width, height), the same array where it has that size."""
    if image.shape[1::-1] == box:
        return image
    bands = [Image.fromarray(np.ascontiguousarray(image[..., k], np.float32)) for k in range(3)]
    return np.stack([np.asarray(band.resize(box, Image.Resampling.BICUBIC)) for band in bands], -1)
