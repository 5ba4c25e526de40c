"""`bench speed`: what a transfer costs beside plain sampling on the same network, in evaluations, time and memory.

All ways in turn, again and again, in one process, so that whatever else the machine does meets all of them alike;
ratios are of the medians of processor seconds. On the embedded model with its autoencoder, and on random weights in the
shapes of SD1.5 (half its width) and SDXL (a fifth) at 256 pixels, on which nothing but the network is run. A report
that lies in the folder from before is compared with.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch

from ...models.contracts import Backend
from ..peak_memory import peak_growth
from .context import BenchContext, BenchResult
from .random_models import sd15_backend, sdxl_backend
from .speed_ways import Way, calls_of, growing_ways, ways_of

# Steps of every way but those whose own are in their name; repetitions, after one that warms up and is looked at for
# memory.
STEPS, REPETITIONS = {"mini": 15, "SD1.5 shape": 4, "SDXL shape": 3}, {"mini": 5, "SD1.5 shape": 3, "SDXL shape": 2}
SIDE_PX = 256
SHAPES: dict[str, Callable[[], Backend]] = {
    "SD1.5 shape": lambda: sd15_backend(160, SIDE_PX),
    "SDXL shape": lambda: sdxl_backend(64, SIDE_PX),
}
# Differences of ratios below that are noise.
NOISE = 0.05


def run(context: BenchContext) -> BenchResult:
    """Quick: 2 steps, once, on the embedded model alone."""
    before = context.out / "speed.json"
    last = json.loads(before.read_text()) if before.exists() else {}
    names = ["mini", *(() if context.quick else SHAPES)]
    report: dict[str, Any] = {"torch": torch.__version__, "threads": torch.get_num_threads()}
    for k, name in enumerate(names):
        backend = context.backend if name == "mini" else SHAPES[name]()

        def bar(share: float, done: int = k) -> None:
            context.bar((done + share) / len(names))

        report[name] = of_model(name, backend, context.quick, bar)
    report["differences"] = differences(last, report)
    return report, {}


def of_model(name: str, backend: Backend, quick: bool, bar: Callable[[float], None]) -> dict[str, Any]:
    """The report of one model: whole transfers, single calls, on mini growth too."""
    steps, repetitions = (2, 1) if quick else (STEPS[name], REPETITIONS[name])
    parts = {"transfers": ways_of(backend, steps), "one call": calls_of(backend, SIDE_PX)}
    if name == "mini":
        parts["growth"] = growing_ways(backend, steps)
    report: dict[str, Any] = {"steps": steps}
    for p, (part, ways) in enumerate(parts.items()):

        def part_bar(share: float, done: int = p) -> None:
            bar((done + share) / len(parts))

        report[part] = measured(ways, repetitions, part_bar)
    return report


def differences(last: dict[str, Any], report: dict[str, Any]) -> list[str]:
    """Sentences on what costs more or less, in evaluations or multiples of plain sampling, than in the last report."""
    old, sentences = _rows(last), []
    for place, row in _rows(report).items():
        for what in ("evaluations", "times plain"):
            was = old.get(place, {}).get(what, row[what])
            if abs(row[what] - was) > NOISE * was:
                sentences.append(f"{', '.join(place)}: {what} {was:g} -> {row[what]:g}")
    return sentences


def _rows(report: dict[str, Any]) -> dict[tuple[str, str, str], dict[str, float]]:
    """Rows of a report by model, part and way."""
    return {
        (model, part, way): row
        for model, parts in report.items()
        if isinstance(parts, dict)
        for part, ways in parts.items()
        if isinstance(ways, dict)
        for way, row in ways.items()
    }


def measured(ways: dict[str, Way], repetitions: int, bar: Callable[[float], None]) -> dict[str, Any]:
    """Of each way its evaluations, its median processor seconds, those as a multiple of plain sampling's, and by how
    much memory grew at most."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    evaluations: dict[str, int] = {}
    growth: dict[str, int | None] = {}
    for round_ in range(repetitions + 1):
        for k, (name, way) in enumerate(ways.items()):
            began = time.process_time()
            if round_ or not repetitions:  # the first round warms up
                evaluations[name] = way()
                seconds[name].append(time.process_time() - began)
            if not round_:
                growth[name] = peak_growth(way)
            bar((round_ + (k + 1) / len(ways)) / (repetitions + 1))
    middle = {name: statistics.median(values) for name, values in seconds.items()}
    return {
        name: {
            "evaluations": evaluations[name],
            "cpu_seconds": round(middle[name], 3),
            "times plain": round(middle[name] / middle["plain"], 3),
            "peak_mb": None if (size := growth[name]) is None else round(size / 1e6),
        }
        for name in ways
    }
