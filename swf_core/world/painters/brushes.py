"""Painters that lay strokes: oil, directional strokes, pastel, charcoal."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw
from scipy.ndimage import gaussian_filter

from ..noise import mean_by_cell, per_cell, smooth_noise, warp
from .canvas import Canvas, deepen, over, step


def oil(c: Canvas) -> np.ndarray:
    """Layered curved strokes from coarse to fine, with the relief of thick paint.

    After Hertzmann, "Painterly Rendering with Curved Brush Strokes of Multiple Sizes" (SIGGRAPH 1998), section 2.
    Differs from the paper: polylines instead of B-splines, two brushes, and a relief lit from the upper left.
    """
    h, w = c.shape
    canvas = Image.new("RGB", (w, h), tuple(int(v * 255) for v in c.image.mean((0, 1))))
    relief = Image.new("L", (w, h), 128)
    draw, bump = ImageDraw.Draw(canvas), ImageDraw.Draw(relief)
    for radius, threshold in ((c.px(7.2), 0.0), (c.px(4.4), 0.08)):
        reference = gaussian_filter(c.image, (radius * 0.3, radius * 0.3, 0))
        luma = gaussian_filter(c.luma, radius * 0.6)
        gy, gx = np.gradient(luma, axis=0), np.gradient(luma, axis=1)
        error = np.abs(reference - np.asarray(canvas, np.float32) / 255).sum(-1)
        step_px = radius * 1.05
        ys, xs = np.meshgrid(np.arange(step_px / 2, h, step_px), np.arange(step_px / 2, w, step_px), indexing="ij")
        starts = np.stack([xs.ravel(), ys.ravel()], -1) + c.rng.uniform(-radius * 0.5, radius * 0.5, (xs.size, 2))
        starts[:, 0], starts[:, 1] = np.clip(starts[:, 0], 0, w - 1), np.clip(starts[:, 1], 0, h - 1)
        tones = c.rng.normal(0, 0.085, (len(starts), 1)) + c.rng.normal(0, 0.03, (len(starts), 3))
        lifts = c.rng.integers(70, 190, len(starts))
        for i in c.rng.permutation(len(starts)):
            x, y = starts[i]
            if error[int(y), int(x)] < threshold:
                continue
            points = _curved_stroke(x, y, reference, gx, gy, radius, c.angle)
            color = np.clip(reference[int(y), int(x)] + tones[i] * c.contrast, 0, 1) * 255
            _stroke(draw, points, radius, tuple(int(v) for v in color))
            _stroke(bump, points, radius, int(lifts[i]))
    paint, height = np.asarray(canvas, np.float32) / 255, np.asarray(relief, np.float32) / 255
    height = gaussian_filter(height, 1.5 * c.unit)
    slope = np.gradient(height, axis=0) + np.gradient(height, axis=1)
    return paint + (1.6 * c.contrast * c.unit * slope)[..., None]


def _curved_stroke(
    x: float, y: float, reference: np.ndarray, gx: np.ndarray, gy: np.ndarray, radius: float, angle: float
) -> list[tuple[float, float]]:
    h, w = gx.shape
    points, color = [(x, y)], reference[int(y), int(x)]
    dx, dy = np.cos(angle), np.sin(angle)
    for k in range(3):
        ix, iy = int(min(max(x, 0), w - 1)), int(min(max(y, 0), h - 1))
        here = reference[iy, ix]
        if k and np.abs(here - color).sum() > 0.16:
            break
        nx, ny = -gy[iy, ix], gx[iy, ix]
        norm = (nx * nx + ny * ny) ** 0.5
        if norm > 0.008:  # on flat ground the stroke keeps its direction
            if nx * dx + ny * dy < 0:
                nx, ny = -nx, -ny
            dx, dy = 0.6 * dx + 0.4 * nx / norm, 0.6 * dy + 0.4 * ny / norm
            norm = (dx * dx + dy * dy) ** 0.5
            dx, dy = dx / norm, dy / norm
        x, y = x + dx * radius * 1.3, y + dy * radius * 1.3
        points.append((x, y))
    return points


def _stroke(draw: ImageDraw.ImageDraw, points: list[tuple[float, float]], radius: float, fill) -> None:
    if len(points) > 1:
        draw.line(points, fill=fill, width=max(1, round(radius * 1.7)), joint="curve")
    for x, y in (points[0], points[-1]):
        r = radius * 0.85
        draw.ellipse((x - r, y - r, x + r, y + r), fill=fill)


def strokes(c: Canvas) -> np.ndarray:
    """Directional texture: long ribbons of alternating tone that follow a swirling field."""
    h, w = c.shape
    period, length = c.px(13.0), c.px(36.0)
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    swirl = smooth_noise(c.rng, h, w, 44 * c.unit) * 6.0 * c.unit
    across = -x * np.sin(c.angle) + y * np.cos(c.angle) + swirl
    along = x * np.cos(c.angle) + y * np.sin(c.angle) + 0.6 * smooth_noise(c.rng, h, w, 30 * c.unit) * 6 * c.unit
    ribbon = np.floor(across / period).astype(np.int32)
    ribbon -= ribbon.min()
    shift = c.rng.random(int(ribbon.max()) + 1).astype(np.float32)[ribbon]
    part = np.floor(along / length + shift).astype(np.int32)
    part -= part.min()
    cell = ribbon * (int(part.max()) + 1) + part
    color = 0.35 * mean_by_cell(c.image, cell) + 0.65 * c.blurred(1.0)
    tone = 0.11 * c.contrast * np.where(ribbon % 2, 1.0, -1.0) + 0.05 * per_cell(c.rng, cell)[..., 0]
    phase = across / period - np.floor(across / period)
    ridge = 0.10 * c.contrast * (np.minimum(phase, 1 - phase) * 4 - 1.2)
    tint = 0.035 * per_cell(c.rng, cell, 3)
    return color + tint + (tone + np.minimum(ridge, 0.06))[..., None]


def pastel(c: Canvas) -> np.ndarray:
    """Chalk dragged over rough tinted paper: streaks of cover, the paper showing between them."""
    h, w = c.shape
    streak = smooth_noise(c.rng, h, w, c.px(11.5), stretch=2.6, angle=c.angle)
    cover = step(streak + 0.62, 0.50)
    chalk = c.blurred(1.3) * 0.82 + 0.18
    chalk = chalk + 0.07 * smooth_noise(c.rng, h, w, c.px(12.0), stretch=3.0, angle=c.angle)[..., None]
    ground = deepen(c.paper, c.ink, 0.42) * 0.75 + 0.25 * c.blurred(5.0)
    return over(ground + np.zeros_like(chalk), chalk, cover * (0.80 + 0.15 * c.contrast))


def charcoal(c: Canvas) -> np.ndarray:
    """Broad soft smudged outlines and blotchy grey tone rubbed into the paper."""
    h, w = c.shape
    wobbles = [smooth_noise(c.rng, h, w, 22 * c.unit) * 2.2 * c.unit for _ in range(2)]
    edge = warp(c.edge_distance, wobbles[0], wobbles[1])
    line = np.exp(-((edge / c.px(5.6)) ** 2)) * (0.75 + 0.35 * step(smooth_noise(c.rng, h, w, 16 * c.unit), 1.0))
    grain = smooth_noise(c.rng, h, w, c.px(11.0))
    dark = 1.0 - c.tone
    smudge = step(dark - 0.55 + 0.30 * grain, 0.55) * 0.70
    local = deepen(c.blurred(5.0), c.ink, 0.62)
    base = c.paper * 0.86 + 0.14 * c.blurred(5.0)
    out = over(base, local, smudge * c.contrast)
    return over(out, deepen(local, c.ink, 0.7), line * 0.95)
