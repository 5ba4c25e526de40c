"""`bench world`: pictures a second on one core, by style, and what the color histogram alone tells of the style."""

from __future__ import annotations

import time

import numpy as np
import torch

from ...world import STYLES, random_look, random_scene, render
from ...world.seeds import TEST_SEED
from .context import BenchContext, BenchResult


def run(context: BenchContext) -> BenchResult:
    """Render every style; a random forest is fitted to three quarters of the histograms and tested on the rest."""
    from sklearn.ensemble import RandomForestClassifier

    torch.set_num_threads(1)
    each = 20 if context.quick else 60
    speed, features, labels = {}, [], []
    for k, style in enumerate(STYLES):
        began = time.perf_counter()
        pictures = [
            render(random_scene(TEST_SEED + 60_000 + 100 * k + i), random_look(style, TEST_SEED + 100 * k + i))
            for i in range(each)
        ]
        speed[style] = round(each / (time.perf_counter() - began), 1)
        features += [color_histogram(picture) for picture in pictures]
        labels += [k] * each
    x, y = np.array(features), np.array(labels)
    train = np.arange(len(y)) % each < each * 3 // 4
    forest = RandomForestClassifier(300, random_state=0).fit(x[train], y[train])
    report = {
        "pictures_per_second": speed,
        "mean_ms": round(float(np.mean([1000 / v for v in speed.values()])), 2),
        "histogram_accuracy": round(float(forest.score(x[~train], y[~train])), 4),
        "styles": len(STYLES),
    }
    return report, {}


def color_histogram(picture: np.ndarray) -> np.ndarray:
    """Shares [512] of the pixels of a picture [H, W, 3], eight bins a channel."""
    bins = (np.minimum(picture, 0.999) * 8).astype(int)
    code = bins[..., 0] * 64 + bins[..., 1] * 8 + bins[..., 2]
    return np.bincount(code.ravel(), minlength=512) / code.size
