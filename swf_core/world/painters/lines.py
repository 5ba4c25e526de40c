"""Painters that draw lines: pencil, woodcut, comic, and the held-out neon and blueprint."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from ..noise import smooth_noise, warp
from .canvas import Canvas, deepen, over, step


def _waves(c: Canvas, angle: float, period: float, wobble: float) -> np.ndarray:
    """A triangle wave 0..1 (0 at the line's centre) across direction `angle`, bent by smooth noise."""
    h, w = c.shape
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    across = -x * np.sin(angle) + y * np.cos(angle) + wobble * smooth_noise(c.rng, h, w, 40 * c.unit)
    phase = across / period + c.rng.random()
    return np.abs(phase - np.round(phase)) * 2


def pencil(c: Canvas) -> np.ndarray:
    """Parallel hatching in the local color, crossed where the picture is dark, and a thin outline."""
    period = c.px(13.0)
    dark = np.clip((0.5 - c.tone) * c.contrast + 0.52, 0, 1)
    line = deepen(c.blurred(3.0), c.ink, 0.45)
    out = c.paper + np.zeros_like(c.image)
    angle = c.angle + 0.6
    for turn, start in ((0.0, 0.12), (np.pi / 2, 0.58)):
        wave = _waves(c, angle + turn, period, 1.6 * c.unit)
        width = np.clip((dark - start) * 0.8, 0, 0.46)
        out = over(out, line, step((width - wave) * period * 0.5, 1.0 * c.unit) * (width > 0.02))
    return over(out, deepen(line, c.ink, 0.6), step(c.px(2.8) - c.edge_distance, 1.0 * c.unit))


def woodcut(c: Canvas) -> np.ndarray:
    """Wavy gouge marks whose breadth carries the tone, solid blacks, and one flat tint under them."""
    wave = _waves(c, c.angle * 0.5, c.px(15.5), 4.5 * c.unit)
    dark = np.clip((0.5 - c.tone) * 1.1 * c.contrast + 0.42, 0.0, 0.92)
    cut = step((dark - wave) * c.px(8.0), 0.8 * c.unit)
    cut = np.maximum(cut, step(c.px(3.2) - c.edge_distance, 0.8 * c.unit))
    tint = 0.60 * c.flat + 0.40 * c.paper
    return over(tint, c.ink, cut)


def comic(c: Canvas) -> np.ndarray:
    """Flat posterised color and bold outlines of even breadth."""
    flat = c.flat
    levels = 3.0
    tone = gaussian_filter(c.luma, 2.0 * c.unit)[..., None] - flat.mean(-1, keepdims=True)
    flat = np.round(flat * levels) / levels * 0.55 + flat * 0.45
    luma = flat.mean(-1, keepdims=True)
    flat = luma + (flat - luma) * 1.2 + 0.10 * c.contrast * np.sign(tone) * (np.abs(tone) > 0.02)
    return over(flat, c.ink * 0.7, step(c.px(3.6) - c.edge_distance, 0.8 * c.unit))


def neon(c: Canvas) -> np.ndarray:
    """Glowing tubes along the outlines on darkness."""
    wobbles = [smooth_noise(c.rng, *c.shape, 26 * c.unit) * 1.2 * c.unit for _ in range(2)]
    edge_distance = warp(c.edge_distance, wobbles[0], wobbles[1])
    hue = c.flat / np.maximum(c.flat.max(-1, keepdims=True), 0.05)
    hue = np.clip(hue.mean(-1, keepdims=True) + (hue - hue.mean(-1, keepdims=True)) * 1.8, 0.05, 1)
    s = 2.0 * c.unit
    hue = gaussian_filter(hue, (s, s, 0))
    glow = np.exp(-edge_distance / c.px(7.5))[..., None] * 0.75 * c.contrast
    core = step(c.px(2.8) - edge_distance, 1.0 * c.unit)[..., None]
    night = c.ink * 0.55
    return night + hue * glow * (1 - night) + core * (0.55 * hue + 0.35)


def blueprint(c: Canvas) -> np.ndarray:
    """Pale technical lines and a grid on a deep flat ground."""
    h, w = c.shape
    deep = deepen(np.array(c.palette.ink, np.float32), np.array([0.10, 0.28, 0.62], np.float32), 0.55)
    chalk = 0.15 * deep + 0.85 * c.paper
    side = c.px(20.0)
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    grid = np.minimum(np.abs((x / side) % 1 - 0.5), np.abs((y / side) % 1 - 0.5)) * side
    out = deep + 0.08 * (c.flat.mean(-1, keepdims=True) - 0.5) * c.contrast + np.zeros_like(c.image)
    out = over(out, chalk, 0.30 * step(1.8 * c.unit - grid, 0.7 * c.unit))
    return over(out, chalk, step(c.px(2.2) - c.edge_distance, 0.8 * c.unit))
