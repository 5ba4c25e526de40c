"""`bench gap`: is a style learnt better from a caption that leaves it unsaid? Stripped against full captions, paired.

The lessons of `bench learn` over five seeds; both arms of a pair share picture, seed, batches and contents. The claim
is that of arXiv 2506.15033: what the caption no longer says is what the LoRA learns.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .context import BenchContext, BenchResult
from .learn import learning_means, train_arms
from .lessons import PICTURES
from .tables import Row

SEEDS = (0, 1, 2, 3, 4)
ARMS = ("stripped", "full caption")
MEASURES = ("style_right", "object_right", "both", "style_probability")
DRAWS = 10_000  # of the bootstrap


def run(context: BenchContext) -> BenchResult:
    """Rows in learn.csv; per measure the mean difference stripped minus full, its 95 % interval and a verdict.

    When quick, the first picture of each style.
    """
    seeds = [context.seed + s for s in SEEDS]
    rows, _ = train_arms(context, ARMS, seeds, 1 if context.quick else PICTURES)
    return {"arms": learning_means(rows), "difference": paired_difference(rows), "seeds": seeds}, {}


def paired_difference(
    rows: Sequence[Row], arms: tuple[str, str] = ARMS, measures: Sequence[str] = MEASURES
) -> dict[str, Any]:
    """The first arm minus the second over the pairs in `rows`; the bootstrap draws style pictures, then seeds within
    them, because seeds of one picture are alike."""
    by_key = {(r["arm"], r["style"], int(r["picture"]), int(r["seed"])): r for r in rows}
    pictures: dict[tuple[str, int], list[tuple]] = {}
    for arm, style, number, seed in by_key:
        if arm == arms[0] and (arms[1], style, number, seed) in by_key:
            pictures.setdefault((style, number), []).append((style, number, seed))
    report: dict[str, Any] = {"pairs": sum(map(len, pictures.values())), "pictures": len(pictures)}
    for name in measures:
        groups = [
            np.array([float(by_key[(arms[0], *k)][name]) - float(by_key[(arms[1], *k)][name]) for k in keys])
            for keys in pictures.values()
        ]
        low, high = interval(groups)
        mean = float(np.concatenate(groups).mean())
        report[name] = {
            "difference": round(mean, 4),
            "low": round(low, 4),
            "high": round(high, 4),
            "verdict": verdict(low, high),
        }
    return report


def interval(groups: Sequence[np.ndarray], seed: int = 0) -> tuple[float, float]:
    """The 95 % interval of the mean of grouped values, by a bootstrap of groups and of values within them."""
    rng = np.random.default_rng(seed)
    means = np.empty(DRAWS)
    for k in range(DRAWS):
        drawn = rng.integers(0, len(groups), len(groups))
        means[k] = np.concatenate([rng.choice(groups[c], len(groups[c])) for c in drawn]).mean()
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def verdict(low: float, high: float) -> str:
    """What an interval of a difference says of the claim that it is above 0."""
    return "holds" if low > 0 else "does not hold" if high < 0 else "not decided"
