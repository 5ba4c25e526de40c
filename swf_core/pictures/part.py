"""Parts of a picture scaled by Lanczos, as products of matrices: many of one picture without a copy of it."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

LOBES = 3.0  # of Lanczos' kernel, as in Pillow
BLOCK = 32  # rows of a matrix that are multiplied at once: they read nearly the same pixels, and zeros are left out


def scaled_part(picture: Tensor, top: int, left: int, shape: tuple[int, int], height: int, width: int) -> Tensor:
    """The part [C, *shape] of a picture [C, H, W] at `top`, `left`, scaled to [C, height, width], float32, unclipped.

    What lies beyond the picture's edges, by less than its side, is mirrored there without the edge's own pixels. The
    numbers are those of the part cut out and scaled by `sizes.resize`, to 1e-6.
    """
    pixels = picture.detach().to("cpu", torch.float32)
    down = _blocks(top, shape[0], height, pixels.shape[-2])
    across = _blocks(left, shape[1], width, pixels.shape[-1])
    rows = torch.cat([weights @ pixels[:, first : first + weights.shape[1]] for first, weights in down], 1)
    return torch.cat([rows[..., first : first + weights.shape[1]] @ weights.T for first, weights in across], 2)


def _blocks(start: int, count: int, out: int, side: int) -> list[tuple[int, Tensor]]:
    """A scaling of `count` values of `side`, from `start` on, to `out`: for each `BLOCK` of results the first value
    that they read, and their weights [results, values]."""
    places, weights = _taps(count, out)
    places = np.abs(places + start)  # mirrored before the first value
    places = np.where(places >= side, 2 * (side - 1) - places, places)  # and behind the last
    blocks = []
    for k in range(0, out, BLOCK):
        part = places[k : k + BLOCK]
        first, last = int(part.min()), int(part.max())
        size = last - first + 1
        flat = (part - first + size * np.arange(len(part))[:, None]).ravel()
        dense = np.bincount(flat, weights[k : k + BLOCK].ravel(), len(part) * size)
        blocks.append((first, torch.from_numpy(dense.astype(np.float32)).view(len(part), size)))
    return blocks


def _taps(count: int, out: int) -> tuple[np.ndarray, np.ndarray]:
    """For each of `out` results the values it reads [out, taps] and their weights, computed as in Pillow: a kernel as
    wide as a pixel of the smaller grid, cut off at the ends."""
    if count == out:
        return np.arange(out)[:, None], np.ones((out, 1))
    scale = count / out
    wide = max(scale, 1.0)
    centers = ((np.arange(out) + 0.5) * scale)[:, None]
    places = (centers - LOBES * wide + 0.5).astype(int) + np.arange(int(2 * LOBES * wide) + 2)
    t = (places - centers + 0.5) / wide
    inside = (places >= 0) & (places < count) & (np.abs(t) < LOBES)
    weights = np.where(inside, np.sinc(t) * np.sinc(t / LOBES), 0.0)
    return places.clip(0, count - 1), weights / weights.sum(1, keepdims=True)
