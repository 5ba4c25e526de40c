"""Painters that divide the picture into cells: mosaic, stained glass, pointillism, halftone, pixel, cross-stitch."""

from __future__ import annotations

import numpy as np

from ..noise import cells, mean_by_cell, per_cell, smooth_noise
from .canvas import Canvas, deepen, over, step


def mosaic(c: Canvas) -> np.ndarray:
    """Square tiles in wavy rows, each of one color, with wide grout."""
    h, w = c.shape
    nearest, second, cell = cells(c.rng, h, w, c.px(14.5), jitter=0.30, angle=c.angle * 0.35, square=True)
    tile = 0.35 * c.blurred(0.8) + 0.65 * mean_by_cell(c.image, cell) + 0.05 * c.contrast * per_cell(c.rng, cell, 3)
    tile = tile + 0.07 * c.contrast * per_cell(c.rng, cell)
    grout = 0.35 * c.ink + 0.65 * c.paper * 0.85
    return over(tile, grout, step(c.px(3.4) - (second - nearest), 0.9 * c.unit))


def stained_glass(c: Canvas) -> np.ndarray:
    """Large panes of glowing color between thick leads, which also follow the outlines."""
    h, w = c.shape
    nearest, second, cell = cells(c.rng, h, w, c.px(32.0), jitter=0.95, angle=c.angle)
    _, ids = np.unique(c.regions, return_inverse=True)
    cell = cell * (int(ids.max()) + 1) + ids.reshape(c.shape)
    pane = mean_by_cell(c.image, cell)
    luma = pane.mean(-1, keepdims=True)
    pane = luma + (pane - luma) * 1.35 + 0.09 * c.contrast * per_cell(c.rng, cell)
    glow = np.exp(-((nearest / c.px(14.0)) ** 2))[..., None] * 0.20 - 0.07
    lead = np.maximum(
        step(c.px(5.8) - (second - nearest), 1.2 * c.unit), step(c.px(2.6) - c.edge_distance, 1.0 * c.unit)
    )
    return over(pane + glow, c.ink * 0.8, lead)


def pointillism(c: Canvas) -> np.ndarray:
    """Round touches of separate hues, side by side on the bare paper (two scattered layers)."""
    h, w = c.shape
    out = c.paper * 0.72 + 0.28 * c.blurred(6.0)
    for spacing, radius in ((12.2, 6.7), (11.0, 4.9)):
        nearest, _, cell = cells(c.rng, h, w, c.px(spacing), jitter=0.9, angle=c.angle)
        dot = (
            0.3 * c.blurred(0.8)
            + 0.7 * mean_by_cell(c.image, cell)
            + 0.085 * c.contrast * per_cell(c.rng, cell, 3)
            + 0.04 * per_cell(c.rng, cell)
        )
        out = over(out, dot, step(c.px(radius) - nearest, 0.8 * c.unit))
    return out


def halftone(c: Canvas) -> np.ndarray:
    """A screen of dots on one regular grid, larger where the picture is darker."""
    h, w = c.shape
    period = c.px(13.5)
    nearest, _, cell = cells(c.rng, h, w, period, jitter=0.0, angle=c.angle)
    tone = np.clip((c.tone - 0.5) * c.contrast + 0.5, 0.04, 0.96)
    radius = period * 0.66 * np.sqrt(1 - tone)
    local = deepen(c.blurred(1.5), c.ink, 0.50)
    ground = c.paper * 0.70 + 0.30 * c.blurred(2.0)
    return over(ground, local, step(radius - nearest, 0.9 * c.unit))


def _squares(c: Canvas, side: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """A square grid with a phase of its own: row, column and number of each pixel's square, and its place in it."""
    h, w = c.shape
    ox, oy = c.rng.random(2) * side
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    row, col = ((y + oy) // side).astype(np.int32), ((x + ox) // side).astype(np.int32)
    u, v = ((x + ox) / side) % 1 - 0.5, ((y + oy) / side) % 1 - 0.5  # -0.5..0.5
    return row, col, row * (int(col.max()) + 1) + col, u, v


def pixel(c: Canvas) -> np.ndarray:
    """Square blocks of few tones, as on an early computer screen."""
    row, col, cell, _, _ = _squares(c, c.px(9.4))
    block = mean_by_cell(c.image, cell)
    levels = 4.0
    dither = 0.16 * np.where((row + col) % 2, 1.0, -1.0)[..., None] * c.contrast
    return np.round(block * levels + dither) / levels


def cross_stitch(c: Canvas) -> np.ndarray:
    """Crosses of thread on woven cloth, one color a stitch."""
    h, w = c.shape
    side = c.px(15.0)
    _, _, cell, u, v = _squares(c, side)
    thread = mean_by_cell(c.image, cell) + 0.06 * c.contrast * per_cell(c.rng, cell)
    first, second = np.abs(u - v), np.abs(u + v)
    inside = step((0.46 - np.maximum(np.abs(u), np.abs(v))) * side, 1.0 * c.unit)
    cloth = c.paper * 0.95 + 0.03 * smooth_noise(c.rng, h, w, 9 * c.unit)[..., None]
    out = over(cloth, thread * 0.72, step((0.24 - first) * side, 1.0 * c.unit) * inside)
    return over(out, thread * 1.10, step((0.24 - second) * side, 1.0 * c.unit) * inside)
