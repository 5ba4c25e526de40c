"""A trial's report: arms with their figures, styles one by one, who is nearer to the truth, the Pareto front."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .engine import Trial
from .summary import (
    Table,
    arm_means,
    by_painter,
    differences,
    front_points,
    measures_table,
    pareto_front,
)

PERCENT = ("style", "object", "both", "leak")
SHOWN = (
    *("style", "style_probability", "object", "both", "leak", "gram", "low_pass"),
    *("gram_style", "features_truth", "features_style", "ssim", "edge_f1", "self_similarity", "evaluations"),
)


def trial_report(trial: Trial, table: Table, firsts: Sequence[str], rivals: Sequence[str]) -> dict[str, Any]:
    """The whole report. `firsts`: arms that are compared with each of `rivals` and with each other."""
    others = list(dict.fromkeys([*firsts, *rivals]))
    compared: dict[str, Any] = {}
    for first in firsts:
        compared |= differences(table, first, [name for name in others if f"{name} - {first}" not in compared])
    points = front_points(table, trial.arms)
    arms = {name: {"kind": trial.arms[name].kind} | arm_means(table, name) for name in table.arms}
    return {
        "pairs": len(trial.pairs),
        "seeds": list(trial.seeds),
        "table": markdown_table(arms),
        "arms": arms,
        "by_style": {
            name: by_painter(table, name) for name in table.arms if trial.arms[name].kind in ("ours", "rival")
        },
        "differences": compared,
        "pareto front": pareto_front(points) if points else [],
        "missing": dict(trial.missing),
        "measures": measures_table(),
    }


def markdown_table(arms: Mapping[str, Mapping[str, Any]], columns: Sequence[str] = SHOWN) -> list[str]:
    """The arms as lines of a Markdown table, as docs/figures.md has them; shares in percent."""
    head = ["| | " + " | ".join(columns) + " |", "|" + "---|" * (len(columns) + 1)]
    return head + [
        f"| {name} | " + " | ".join(_cell(column, means[column]) for column in columns) + " |"
        for name, means in arms.items()
    ]


def _cell(column: str, value: float) -> str:
    return f"{100 * value:.0f} %" if column in PERCENT else f"{value:.2f}"
