"""Palettes: a factor of its own, drawn alike for every painter, so that no style is a color.

A `Palette` maps the photo's colors before anything is painted and names the paper and the ink. Were it tied to
the painter, a color histogram would recognise the style and "style transfer" would be recoloring.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from .noise import smooth_noise

LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)
# Luma and two color differences (ITU-R BT.601, unscaled).
_YCC = np.array([[0.299, 0.587, 0.114], [-0.299, -0.587, 0.886], [0.701, -0.587, -0.114]], dtype=np.float32)
# How strongly the source orders what the painter left equal: little for luma, where the marks are; all for chroma.
_TIES = np.array([0.12, 0.8, 0.8], dtype=np.float32)
# name: (how often, words in a caption or "" where nobody would mention it); the embedded models were trained on this
# spelling
PALETTES = {
    "natural": (0.56, ""),
    "vivid": (0.12, "in vivid colours"),
    "muted": (0.12, "in muted colours"),
    "sepia": (0.05, "in sepia"),
    "blue": (0.05, "in shades of blue"),
    "green": (0.05, "in shades of green"),
    "rose": (0.05, "in shades of rose"),
}
_MONO_HUE = {"sepia": 0.085, "blue": 0.60, "green": 0.37, "rose": 0.95}


@dataclass(frozen=True)
class Palette:
    """Name, and the drawn amounts: hue shift (turns), saturation, contrast and lightness, paper and ink colors."""

    name: str
    hue: float
    saturation: float
    contrast: float
    lightness: float
    paper: tuple[float, float, float]
    ink: tuple[float, float, float]

    def apply(self, image: np.ndarray) -> np.ndarray:
        """Map an image [H, W, 3] in 0..1."""
        luma = image @ LUMA
        if self.name in _MONO_HUE:
            t = np.clip(0.5 + (luma - 0.5) * self.contrast + self.lightness, 0, 1)[..., None]
            return (np.array(self.ink, np.float32) * (1 - t) + np.array(self.paper, np.float32) * t).astype(np.float32)
        turned = image @ _hue_matrix(self.hue).T
        turned = luma[..., None] + (turned - luma[..., None]) * self.saturation
        return np.clip(0.5 + (turned - 0.5) * self.contrast + self.lightness, 0, 1).astype(np.float32)


def settle(painted: np.ndarray, source: np.ndarray, amount: float, rng: np.random.Generator) -> np.ndarray:
    """Give a painted picture the colors of its source: the marginal distributions of luma and the two chromas.

    Ink on paper is black and white, neon is dark, tiles are many: without this step a histogram would name the painter.
    Every channel's values are ranked and replaced by the source's quantiles (exact histogram specification); equal
    values are ordered by the source's smoothed values, so flat paper takes on the scene's own gradations.
    """
    target = source @ _YCC.T
    smooth = gaussian_filter(target, (3.0 * max(source.shape[:2]) / 128,) * 2 + (0,))
    order = painted @ _YCC.T + _TIES * (smooth - smooth.mean((0, 1)))
    # What is left equal even then is ordered by a smooth field: white noise would show as speckle in flat areas.
    h, w = order.shape[:2]
    field = np.stack([smooth_noise(rng, h, w, 24.0 * max(h, w) / 128) for _ in range(3)], -1)
    order = (order + 4e-3 * field).astype(np.float32)
    matched = np.empty_like(target)
    for k in range(3):
        flat = np.empty(target[..., k].size, np.float32)
        flat[np.argsort(order[..., k].ravel())] = np.sort(target[..., k].ravel())
        matched[..., k] = flat.reshape(target.shape[:2])
    return painted * (1 - amount) + (matched @ np.linalg.inv(_YCC).T).astype(np.float32) * amount


def random_palette(rng: np.random.Generator, name: str | None = None) -> Palette:
    """Draw a palette, or the amounts of the named one."""
    names = list(PALETTES)
    drawn = str(rng.choice(names, p=[PALETTES[n][0] for n in names]))
    name = name or drawn
    draws = rng.random(8)
    hue = _MONO_HUE.get(name)
    if hue is None:
        # Papers from white over cream to grey and tinted, inks from black to strongly tinted, for every painter.
        paper = _hsv(draws[0], 0.04 + 0.16 * draws[1] ** 2, 0.80 + 0.20 * draws[2])
        ink = _hsv(draws[3], 0.5 * draws[4], 0.05 + 0.22 * draws[5])
    else:
        paper = _hsv(hue + 0.04 * (draws[0] - 0.5), 0.06 + 0.16 * draws[1], 0.86 + 0.14 * draws[2])
        ink = _hsv(hue + 0.05 * (draws[3] - 0.5), 0.60 + 0.35 * draws[4], 0.14 + 0.22 * draws[5])
    saturation = {"vivid": 1.35, "muted": 0.5}.get(name, 1.0) * (0.88 + 0.24 * draws[6])
    contrast = {"vivid": 1.15, "muted": 0.78}.get(name, 1.0) * (0.86 + 0.28 * draws[7])
    shift = rng.random(2)
    return Palette(
        name, 0.05 * (2 * shift[0] - 1), float(saturation), float(contrast), 0.12 * (shift[1] - 0.5), paper, ink
    )


def _hue_matrix(turns: float) -> np.ndarray:
    """Rotate colors about the grey axis, keeping luma (the matrix of the SVG filter "hueRotate")."""
    c, s = np.cos(2 * np.pi * turns), np.sin(2 * np.pi * turns)
    base = np.array([[0.213, 0.715, 0.072]] * 3)
    cos = np.array([[0.787, -0.715, -0.072], [-0.213, 0.285, -0.072], [-0.213, -0.715, 0.928]])
    sin = np.array([[-0.213, -0.715, 0.928], [0.143, 0.140, -0.283], [-0.787, 0.715, 0.072]])
    return (base + c * cos + s * sin).astype(np.float32)


def _hsv(h: float, s: float, v: float) -> tuple[float, float, float]:
    k = (np.array([5.0, 3.0, 1.0]) + h * 6) % 6
    return tuple(float(x) for x in v - v * s * np.clip(np.minimum(k, 4 - k), 0, 1))  # type: ignore[return-value]
