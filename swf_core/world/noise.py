"""Smooth noise, warps and cell patterns: the few textures that all painters are made of."""

from __future__ import annotations

import numpy as np
from PIL import Image
from scipy.ndimage import map_coordinates


def smooth_noise(
    rng: np.random.Generator, height: int, width: int, scale_px: float, stretch: float = 1.0, angle: float = 0.0
) -> np.ndarray:
    """Noise [height, width] with mean 0 and standard deviation about 1, features of `scale_px` pixels.

    `stretch` makes the features longer by that factor along `angle` (radians, 0 = along x).
    """
    if stretch == 1.0:
        rows, cols = max(2, round(height / scale_px)) + 3, max(2, round(width / scale_px)) + 3
        grid = Image.fromarray(rng.standard_normal((rows, cols)).astype(np.float32))
        # Cut a random sub-cell window out of the enlarged grid: no feature is tied to the frame.
        ox, oy = rng.random(2)
        box = (0.5 + ox, 0.5 + oy, cols - 1.5 + ox - 0.5, rows - 1.5 + oy - 0.5)
        field = np.asarray(grid.resize((width, height), Image.Resampling.BICUBIC, box=box))
        return field * 1.35
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    along, across = x * np.cos(angle) + y * np.sin(angle), -x * np.sin(angle) + y * np.cos(angle)
    u, v = along / (scale_px * stretch), across / scale_px
    u, v = u - u.min() + 1, v - v.min() + 1
    grid = rng.standard_normal((int(v.max()) + 4, int(u.max()) + 4)).astype(np.float32)
    return map_coordinates(grid, [v, u], order=1) * 1.6


def warp(image: np.ndarray, dx: np.ndarray, dy: np.ndarray, order: int = 1) -> np.ndarray:
    """Sample `image` [H, W] or [H, W, C] at (x + dx, y + dy), edges repeated."""
    h, w = image.shape[:2]
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    points = [y + dy, x + dx]
    if image.ndim == 2:
        return map_coordinates(image, points, order=order, mode="nearest")
    return np.stack(
        [map_coordinates(image[..., c], points, order=order, mode="nearest") for c in range(image.shape[2])], axis=-1
    )


def cells(
    rng: np.random.Generator,
    height: int,
    width: int,
    spacing_px: float,
    jitter: float = 0.8,
    angle: float = 0.0,
    square: bool = False,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Jittered-grid cells: (nearest distance, second-nearest distance, cell id), each [height, width].

    Distances are in pixels, Euclidean or (with `square`) Chebyshev in the rotated frame, which gives tiles.
    """
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    ca, sa = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    u, v = (x * ca + y * sa) / spacing_px, (-x * sa + y * ca) / spacing_px
    phase = rng.random(2, dtype=np.float32)  # no grid is tied to the frame
    u, v = u - u.min() + 1.5 + phase[0], v - v.min() + 1.5 + phase[1]
    rows, cols = int(v.max()) + 3, int(u.max()) + 3
    offset = 0.5 + jitter * (rng.random((rows, cols, 2)).astype(np.float32) - 0.5)
    iu, iv = u.astype(np.int32), v.astype(np.int32)
    nearest = np.full((height, width), 1e9, np.float32)
    second_nearest = nearest.copy()
    cell = np.zeros((height, width), np.int32)
    for dv in (-1, 0, 1):
        for du in (-1, 0, 1):
            cu, cv = iu + du, iv + dv
            o = offset[cv, cu]
            ex, ey = np.abs(cu + o[..., 0] - u), np.abs(cv + o[..., 1] - v)
            d = np.maximum(ex, ey) if square else np.sqrt(ex * ex + ey * ey)
            closer = d < nearest
            second_nearest = np.where(closer, nearest, np.minimum(second_nearest, d))
            nearest = np.where(closer, d, nearest)
            cell = np.where(closer, cv * cols + cu, cell)
    return nearest * spacing_px, second_nearest * spacing_px, cell


def mean_by_cell(image: np.ndarray, cell: np.ndarray) -> np.ndarray:
    """Give every cell the mean color of `image` [H, W, 3] under it."""
    flat = cell.ravel()
    count = np.maximum(np.bincount(flat), 1)
    means = np.stack([np.bincount(flat, weights=image[..., c].ravel()) / count for c in range(3)], axis=-1)
    return means[cell].astype(np.float32)


def per_cell(rng: np.random.Generator, cell: np.ndarray, columns: int = 1) -> np.ndarray:
    """One standard normal draw for every cell, spread over its pixels: [H, W, columns]."""
    return rng.standard_normal((int(cell.max()) + 1, columns)).astype(np.float32)[cell]
