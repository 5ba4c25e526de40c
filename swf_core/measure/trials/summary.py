"""What the rows of a trial say: means with intervals, differences by the paired bootstrap, the Pareto front.

The unit of every interval is the pair: an arm's seeds are averaged over first, for two runs of one pair are not two
pairs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..benches.tables import Row
from ..metrics.distances import bootstrap_difference, scaled
from ..metrics.measures import MEASURES
from .arms import AUTO_WORDS, Arm, arm_name
from .baselines import CONTENT, OTHER_RENDER, TRUTH

# Distances to the truth on the tables' scale: content 1, another render of the truth 0.
SCALED = {"gram": "gram_truth", "low_pass": "low_pass_truth"}
COLUMNS = (*MEASURES, *SCALED)
FRONT = ("style_probability", "object_probability")


class Table:
    """The rows of a trial as columns: per arm and measure the mean over seeds of each pair, [pairs]."""

    def __init__(self, rows: Sequence[Row]):
        self._rows: dict[str, list[Row]] = {}
        for row in rows:
            self._rows.setdefault(row["arm"], []).append(row)

    @property
    def arms(self) -> list[str]:
        """Names, in the order of the trial."""
        return list(self._rows)

    def rows(self, arm: str) -> list[Row]:
        """All rows of an arm."""
        return self._rows[arm]

    def pairs(self, arm: str) -> list[int]:
        """The numbers of the pairs that an arm painted, ascending."""
        return sorted({int(row["pair"]) for row in self._rows[arm]})

    def column(self, arm: str, name: str, pairs: Sequence[int] | None = None) -> Tensor:
        """One of `COLUMNS`, a value a pair, of all that the arm painted or of these."""
        pairs = self.pairs(arm) if pairs is None else pairs
        if name in SCALED:
            raw = SCALED[name]
            ends = (self.column(reference, raw, pairs) for reference in (CONTENT, OTHER_RENDER))
            return scaled(self.column(arm, raw, pairs), *ends)
        values: dict[int, list[float]] = {}
        for row in self._rows[arm]:
            values.setdefault(int(row["pair"]), []).append(float(row[name]))
        return torch.tensor([float(np.mean(values[pair])) for pair in pairs], dtype=torch.float64)

    def difference(self, one: str, other: str, name: str) -> tuple[float, float, float]:
        """Mean of `one` less `other` over the pairs that both painted, and its 95 % interval."""
        shared = sorted(set(self.pairs(one)) & set(self.pairs(other)))
        return bootstrap_difference(self.column(one, name, shared), self.column(other, name, shared))


def arm_means(table: Table, arm: str) -> dict[str, Any]:
    """Means of all columns with their 95 % intervals, the object beside the truth's own, and the cost."""
    report: dict[str, Any] = {"rows": len(table.rows(arm)), "pairs": len(table.pairs(arm))}
    intervals: dict[str, list[float]] = {}
    for name in COLUMNS:
        column = table.column(arm, name)
        mean, low, high = bootstrap_difference(column, torch.zeros_like(column))
        report[name] = round(mean, 4)
        intervals[name] = [round(low, 4), round(high, 4)]
    report["object less the truth's"] = [round(v, 4) for v in table.difference(arm, TRUTH, "object")]
    for name in ("evaluations", "seconds"):
        report[name] = round(float(np.mean([float(row[name]) for row in table.rows(arm)])), 2)
    return report | {"intervals": intervals}


def by_painter(table: Table, arm: str) -> dict[str, list[int]]:
    """Per style how many results show it, and of how many, pairs and seeds counted alike."""
    counts: dict[str, list[int]] = {}
    for row in table.rows(arm):
        count = counts.setdefault(row["painter"], [0, 0])
        count[0] += int(float(row["style"]))
        count[1] += 1
    return counts


def differences(table: Table, one: str, others: Sequence[str]) -> dict[str, dict[str, list[float]]]:
    """`one` against each of `others`: mean and interval of what tells who is nearer to the truth."""
    names = ("gram", "low_pass", "style", "style_probability", "object", "both")
    return {
        f"{one} - {other}": {name: [round(v, 4) for v in table.difference(one, other, name)] for name in names}
        for other in others
        if other != one and other in table.arms
    }


def better_words(table: Table, ways: Sequence[str], words: Sequence[str] = ("", AUTO_WORDS)) -> list[str]:
    """Of each way, the arm that is nearer to the truth: without words or with those read from the pictures, by the sum
    of the scaled distances."""

    def distance(arm: str) -> float:
        return float(sum(table.column(arm, name).mean() for name in SCALED))

    present = [[name for w in words if (name := arm_name(way, w)) in table.arms] for way in ways]
    return [min(names, key=distance) for names in present if names]


def pareto_front(points: Mapping[str, tuple[float, float]]) -> list[str]:
    """Names of the points that no other is at least as good as in both values and better in one; more is better."""

    def beaten(name: str) -> bool:
        x, y = points[name]
        return any(a >= x and b >= y and (a > x or b > y) for other, (a, b) in points.items() if other != name)

    return sorted((name for name in points if not beaten(name)), key=lambda name: points[name])


def front_points(table: Table, arms: Mapping[str, Arm]) -> dict[str, tuple[float, float]]:
    """Probability of style and of object of each arm that is no reference and painted all pairs."""
    whole = max(len(table.pairs(arm)) for arm in table.arms)
    return {
        name: (means[0], means[1])
        for name in table.arms
        if arms[name].kind != "reference" and len(table.pairs(name)) == whole
        for means in [[float(table.column(name, column).mean()) for column in FRONT]]
    }


def measures_table() -> dict[str, dict[str, Any]]:
    """The definitions of the measures, for the report."""
    return {
        name: {
            "what": measure.what,
            "unit": measure.unit,
            "range": [measure.low, measure.high if np.isfinite(measure.high) else None],
            "better": measure.better or "neither",
            "source": measure.source,
        }
        for name, measure in MEASURES.items()
    }
