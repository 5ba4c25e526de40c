"""What every painter works on: the picture with its palette applied, its regions, one seed, one unit of length."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from scipy.ndimage import distance_transform_edt, gaussian_filter

from ..palette import LUMA, Palette


@dataclass
class Canvas:
    """`image` [H, W, 3] float32 in 0..1, `regions` [H, W] int; `unit` is a pixel at 128, so strokes grow with size.

    `width` scales strokes and cells (0.85..1.2), `angle` is in radians, `contrast` strengthens marks (0.8..1.2).
    """

    image: np.ndarray
    regions: np.ndarray
    palette: Palette
    width: float
    angle: float
    contrast: float
    rng: np.random.Generator
    unit: float = field(init=False)

    def __post_init__(self) -> None:
        self.unit = max(self.image.shape[:2]) / 128.0

    @property
    def shape(self) -> tuple[int, int]:
        return self.image.shape[0], self.image.shape[1]

    @property
    def paper(self) -> np.ndarray:
        return np.array(self.palette.paper, np.float32)

    @property
    def ink(self) -> np.ndarray:
        return np.array(self.palette.ink, np.float32)

    @cached_property
    def luma(self) -> np.ndarray:
        return (self.image @ LUMA).astype(np.float32)

    @cached_property
    def tone(self) -> np.ndarray:
        """Smoothed luma stretched to 0..1 over this picture, so that a night too has lights and darks."""
        smooth = gaussian_filter(self.luma, 1.8 * self.unit)
        low, high = np.quantile(smooth, [0.02, 0.98])
        return np.clip(0.25 * smooth + 0.75 * (smooth - low) / max(float(high - low), 0.12), 0, 1).astype(np.float32)

    @cached_property
    def edges(self) -> np.ndarray:
        """True where the region to the right or below is another one."""
        r = self.regions
        e = np.zeros(r.shape, bool)
        e[:, :-1] |= r[:, 1:] != r[:, :-1]
        e[:-1] |= r[1:] != r[:-1]
        return e

    @cached_property
    def edge_distance(self) -> np.ndarray:
        """Pixels to the nearest region border."""
        if not self.edges.any():
            return np.full(self.shape, 1e3, np.float32)
        return np.asarray(distance_transform_edt(~self.edges), dtype=np.float32)

    @cached_property
    def flat(self) -> np.ndarray:
        """Every region in its mean color."""
        _, ids = np.unique(self.regions, return_inverse=True)
        ids = ids.reshape(self.shape)
        count = np.bincount(ids.ravel())
        mean = np.stack([np.bincount(ids.ravel(), weights=self.image[..., c].ravel()) / count for c in range(3)], -1)
        return mean[ids].astype(np.float32)

    def px(self, pixels_at_128: float) -> float:
        """A length that scales with the picture and with the painter's stroke width."""
        return pixels_at_128 * self.unit * self.width

    def blurred(self, pixels_at_128: float) -> np.ndarray:
        s = pixels_at_128 * self.unit
        return gaussian_filter(self.image, (s, s, 0)).astype(np.float32)


def over(below: np.ndarray, color: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Lay `color` over `below` with coverage `alpha` [H, W] in 0..1."""
    a = np.clip(alpha, 0, 1)[..., None]
    return below * (1 - a) + color * a


def step(x: np.ndarray, softness: float) -> np.ndarray:
    """A threshold at 0 with a ramp of +-softness: keeps marks free of jagged edges."""
    return np.clip(0.5 + 0.5 * x / softness, 0, 1)


def deepen(color: np.ndarray, ink: np.ndarray, amount: float) -> np.ndarray:
    """Mix a color towards the ink: local color for line work."""
    return color * (1 - amount) + ink * amount
