"""`bench learn`: one picture of a style that the UNet has never seen; is the style learnt, and does content survive?

Every held-out style, three style pictures each, a training for each arm, sixteen contents that are not in the picture,
asked for in words without style. A row a training, written as it is made, so that a bench that was stopped continues.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from ...learn.options import defaults
from ...models.lora import without_lora
from ...pictures import sheet
from ...words.strip import strip
from ...world.captions import MEDIA
from .context import BenchContext, BenchResult
from .lessons import PICTURES, Lesson, lesson_scores, lessons, paint_contents, train_lesson
from .tables import Row, as_text, read_rows, write_rows

TABLE = "learn.csv"
FIELDS = (
    "arm",
    "style",
    "picture",
    "seed",
    "style_right",
    "object_right",
    "both",
    "style_probability",
    "leak",
    "train_seconds",
    "caption",
)
# The trial that the defaults began from: attention alone, full strength, little guidance.
_TRIAL = {"targets": "attention", "strength": 1.0, "sample_cfg": 2.0, "steps": 160}
# The options that each arm changes. The caption is stripped unless an arm says otherwise.
ARMS: dict[str, dict[str, Any]] = {
    "stripped": {},
    "off": {},
    "full caption": {},
    "empty caption": {},
    "no augmentation": {"views": 1},
    "LoRA in both branches": {"lora_guidance": "both"},
}
BESIDE = ("stripped", "off", "full caption", "empty caption")  # on every picture, the others on the first of a style
# Why two controls come out otherwise than in that trial: the same three arms at its settings.
TRIAL_ARMS: dict[str, dict[str, Any]] = {
    "trial": _TRIAL,
    "trial, empty caption": _TRIAL,
    "trial, no augmentation": _TRIAL | {"views": 1},
}
Paintings = dict[tuple[str, str, int], Tensor]


def run(context: BenchContext) -> BenchResult:
    """The arms of `BESIDE` on all lessons, the others and the trial's settings on the first picture of each style; when
    quick, that picture and the default arm alone.

    Report, and a page of what the default arm painted in this call.
    """
    arms, pictures = (("stripped",), 1) if context.quick else (BESIDE, PICTURES)
    rows, paintings = train_arms(context, arms, [context.seed], pictures)
    if not context.quick:
        others = tuple(name for name in ARMS | TRIAL_ARMS if name not in BESIDE)
        rows += train_arms(context, others, [context.seed], 1)[0]
    page = [
        [lesson.picture, *paintings["stripped", lesson.style, lesson.number]]
        for lesson in lessons(pictures)
        if ("stripped", lesson.style, lesson.number) in paintings
    ]
    return learning_means(rows), {"": sheet(page, [], [], cell_px=96)} if page else {}


def train_arms(
    context: BenchContext, arms: Sequence[str], seeds: Sequence[int], pictures: int = PICTURES
) -> tuple[list[Row], Paintings]:
    """All rows of these arms and seeds in learn.csv, training those that are missing; and the pictures of these."""
    table = context.out / TABLE
    rows = read_rows(table)
    present = {_key(row) for row in rows}
    jobs = [(lesson, arm, seed) for seed in seeds for lesson in lessons(pictures) for arm in arms]
    keys = {(arm, lesson.style, lesson.number, seed) for lesson, arm, seed in jobs}
    paintings: Paintings = {}
    for number, (lesson, arm, seed) in enumerate(jobs):
        if (arm, lesson.style, lesson.number, seed) in present:
            continue
        began = time.perf_counter()
        row, painted = _train_arm(context, lesson, arm, seed)
        _append(table, rows, row)
        paintings[arm, lesson.style, lesson.number] = painted
        seconds = time.perf_counter() - began
        text = f"{lesson.style} {lesson.number}, {arm}: {row['both']:.2f} in {seconds:.0f} s"
        context.bar((number + 1) / len(jobs), text)
    return [row for row in rows if _key(row) in keys], paintings


def _key(row: Row) -> tuple[str, str, int, int]:
    return row["arm"], row["style"], int(row["picture"]), int(row["seed"])


def _append(table: Path, rows: list[Row], row: dict[str, Any]) -> None:
    rows.append(as_text(row))
    write_rows(table, rows, FIELDS)


def _train_arm(context: BenchContext, lesson: Lesson, arm: str, seed: int) -> tuple[dict[str, Any], Tensor]:
    """Train one arm and paint the lesson's contents: the row, and the pictures."""
    backend = context.backend
    changes = {"sample_every": 0, "seed": seed, **(ARMS | TRIAL_ARMS)[arm]}
    options = defaults(backend.family).changed(**changes)
    text = caption_of(lesson, arm)
    # "off" samples without the LoRA: a step is enough to have one that can be taken out.
    adapter, seconds = train_lesson(backend, lesson, text, options.changed(steps=1) if arm == "off" else options)
    try:
        active = without_lora(backend, adapter) if arm == "off" else backend
        painted = paint_contents(active, adapter, lesson, options, seed)
    finally:
        adapter.remove()
    row = {
        "arm": arm,
        "style": lesson.style,
        "picture": lesson.number,
        "seed": seed,
        "caption": text,
        "train_seconds": round(seconds, 1),
        **lesson_scores(context.classifier, lesson, painted),
    }
    return row, painted


def caption_of(lesson: Lesson, arm: str) -> str:
    """The caption that an arm is trained on."""
    captions = {"full caption": lesson.caption, "empty caption": "", "trial, empty caption": ""}
    return captions.get(arm, strip(lesson.caption, media=MEDIA).stripped)


def learning_means(rows: Sequence[Row]) -> dict[str, Any]:
    """Per arm the means over all rows, and by style."""
    report: dict[str, Any] = {}
    for arm in dict.fromkeys(row["arm"] for row in rows):
        of_arm = [row for row in rows if row["arm"] == arm]
        by_style = {s: _mean([r for r in of_arm if r["style"] == s]) for s in sorted({r["style"] for r in of_arm})}
        report[arm] = _mean(of_arm) | {"by_style": by_style}
    return report


def _mean(rows: Sequence[Row]) -> dict[str, float]:
    names = ("style_right", "object_right", "both", "style_probability", "leak", "train_seconds")
    return {n: round(float(np.mean([float(r[n]) for r in rows])), 4) for n in names} | {"rows": len(rows)}
