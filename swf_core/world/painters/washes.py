"""Painters that work wet or in layers: watercolour, ink, cut paper."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from ..noise import smooth_noise, warp
from .canvas import Canvas, deepen, over, step


def watercolour(c: Canvas) -> np.ndarray:
    """Bled washes with darkened rims, pigment pooling in blotches, and an uneven margin of bare paper.

    Edge darkening and pigment density C' = C (1 - (C - C^2)(d - 1)): Bousseau et al., "Interactive watercolor
    rendering with temporal coherence and abstraction" (NPAR 2006), section 3.
    """
    h, w = c.shape
    dx, dy = (smooth_noise(c.rng, h, w, 20 * c.unit) * 2.4 * c.unit for _ in range(2))
    wash = warp(0.5 * c.flat + 0.5 * c.blurred(3.0), dx, dy)
    rim = np.exp(-(((warp(c.edge_distance, dx, dy) - c.px(2.0)) / c.px(3.4)) ** 2))
    pool = smooth_noise(c.rng, h, w, c.px(26.0))
    blot = np.abs(smooth_noise(c.rng, h, w, c.px(32.0)))
    backrun = np.exp(-((blot / 0.16) ** 2))
    density = 1.0 + c.contrast * (0.95 * rim + 0.55 * pool * 0.6 + 0.55 * backrun)
    wash = np.clip(wash * 0.80 + 0.20 * c.paper, 0.02, 0.98)
    wash = wash * (1 - (1 - wash) * (density[..., None] - 1) * 0.9)
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    border = np.minimum(np.minimum(x, w - 1 - x), np.minimum(y, h - 1 - y))
    margin = border - c.px(9.0) + smooth_noise(c.rng, h, w, 18 * c.unit) * 2.6 * c.unit
    edge = np.exp(-((margin / (2.4 * c.unit)) ** 2)) * (margin > 0)
    wash = wash * (1 - 0.28 * edge[..., None])
    return over(c.paper * 0.98 + np.zeros_like(wash), wash, step(margin, 1.2 * c.unit))


def ink(c: Canvas) -> np.ndarray:
    """Wet ink: few tones with feathered rims where it crept into the paper, and wet brush lines.

    The creeping is diffusion at a speed that varies with the paper, a few explicit steps of it (in the spirit of
    MoXi, Chu and Tai, SIGGRAPH 2005, without the lattice-Boltzmann flow).
    """
    h, w = c.shape
    fibre = smooth_noise(c.rng, h, w, c.px(18.0))
    dark = 1 - c.tone + 0.07 * fibre
    tones = step(dark - 0.30, 0.035) * 0.24 + step(dark - 0.52, 0.035) * 0.24 + step(dark - 0.74, 0.035) * 0.22
    brush = step(c.px(3.2) + 1.9 * c.unit * smooth_noise(c.rng, h, w, 20 * c.unit) - c.edge_distance, 1.0 * c.unit)
    wet = np.maximum(tones, brush * 0.92)
    crept, speed = wet, step(fibre, 0.8)
    for _ in range(3):
        crept = crept + speed * (gaussian_filter(crept, 2.6 * c.unit) - crept)
    rim = np.clip(wet - gaussian_filter(wet, 4.0 * c.unit), 0, 1)
    wash = np.clip(0.55 * wet + 0.45 * np.maximum(crept, wet * 0.7) + 0.5 * rim, 0, 1)
    color = deepen(c.blurred(3.0), c.ink, 0.62)
    return over(c.paper + np.zeros_like(c.image), color, wash * c.contrast)


def papercut(c: Canvas) -> np.ndarray:
    """Stacked sheets of colored paper, each throwing a soft shadow on the one below."""
    tone = gaussian_filter(c.tone, 4.0 * c.unit) + 0.11 * smooth_noise(c.rng, *c.shape, 38 * c.unit)
    sheets = 4
    level = np.clip(np.floor(tone * sheets), 0, sheets - 1).astype(np.int32)
    cell = c.regions.astype(np.int32) * sheets + level
    _, cell = np.unique(cell, return_inverse=True)
    cell = cell.reshape(c.shape)
    count = np.maximum(np.bincount(cell.ravel()), 1)
    flat = np.stack([np.bincount(cell.ravel(), weights=c.image[..., k].ravel()) / count for k in range(3)], -1)[cell]
    # The stacking order is the tone, darker sheets lower; objects (later regions) lie above the ground.
    height = level + 2.0 * (c.regions > 0) + 1.5 * (c.regions > np.median(c.regions))
    sx, sy = np.cos(c.angle + 0.8) * c.px(6.5), np.sin(c.angle + 0.8) * c.px(6.5)
    h, w = c.shape
    yy = np.clip(np.arange(h) - round(sy), 0, h - 1)
    xx = np.clip(np.arange(w) - round(sx), 0, w - 1)
    shadow = gaussian_filter((height[yy][:, xx] > height).astype(np.float32), 2.0 * c.unit)
    light = gaussian_filter(
        (height[np.clip(np.arange(h) + 2, 0, h - 1)][:, np.clip(np.arange(w) + 2, 0, w - 1)] < height).astype(
            np.float32
        ),
        0.8 * c.unit,
    )
    flat = flat * 0.92 + 0.04
    return flat * (1 - 0.62 * c.contrast * shadow[..., None]) + 0.16 * light[..., None]
