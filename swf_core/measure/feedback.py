"""`bench feedback`: do picked samples help? A round of automatic picks against as many steps without, twice over.

The lessons of `bench learn`. After the first round 32 samples of 16 contents are looked at by the automatic picker,
which never asks the judge; the best eight join the data set, and training goes on. The same run, copied, goes on
without.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..files import write_text
from ..learn import picks
from ..learn.dataset import items_of
from ..learn.options import TrainOptions, defaults
from ..learn.run import Prompt, Run, create, open_run
from ..learn.train import train
from ..models.contracts import Backend
from ..models.mini.data import TEST_SEED
from ..words.rank import load_clip
from ..words.strip import strip
from ..world import describe, random_scene
from .judge import Judge
from .learning import PICTURES, Lesson, encoded, judged, lessons, paint, read

ROUNDS, STEPS, MORE, PICKED = 2, 120, 80, 8
FIELDS = ("arm", "round", "guidance", "style", "picture", "seed", "style_right", "object_right", "both",
          "style_probability", "leak", "picks")  # fmt: skip


def prompts_of(lesson: Lesson, count: int = 16, each: int = 2) -> tuple[Prompt, ...]:
    """Contents to pick from: others than those the lesson is judged on, none with the picture's object."""
    texts, at = [], lesson.seed + 800_000
    while len(texts) < count:
        scene = random_scene(at, second=False)
        at += 1
        if scene.main.kind != lesson.scene.main.kind:
            texts.append(describe(scene))
    return tuple(Prompt(text, 100 * k + n) for k, text in enumerate(texts) for n in range(each))


def feedback(
    backend: Backend, judge: Judge, out: Path, quick: bool, seed: int, bar: Callable[..., None],
    start: int = TEST_SEED + 50_000,
) -> tuple[dict[str, Any], dict[str, Any]]:  # fmt: skip
    """Rows in feedback.csv, one an arm, round and way of guidance; the means over them."""
    table, clip = out / "feedback.csv", load_clip("mini")
    found = read(table)
    jobs = lessons(1 if quick else PICTURES, start=start)
    options = defaults(backend.family).changed(steps=STEPS, sample_every=10**6, seed=seed)
    for done, lesson in enumerate(jobs):
        mine = (lesson.style, str(lesson.number), str(seed))
        if sum((r["style"], r["picture"], r["seed"]) == mine for r in found) == 2 * (1 + 2 * ROUNDS):
            continue
        found = [r for r in found if (r["style"], r["picture"], r["seed"]) != mine]
        with tempfile.TemporaryDirectory() as folder:
            first = Path(folder) / "first"
            text = strip(lesson.caption).stripped
            create(first, backend, options, items_of([lesson.shown], [text]), prompts_of(lesson))
            found += _taught(backend, judge, lesson, first, "start", 0, options, clip)
            for arm in ("picks", "no picks"):
                own = Path(folder) / arm
                shutil.copytree(first, own)
                for number in range(1, ROUNDS + 1):
                    run = open_run(own)
                    if arm == "picks":
                        picks.judge(own, accept=picks.auto_pick(run, clip, PICKED))
                    run.add_round(MORE, picks.taken(own))
                    run.save()
                    found += _taught(backend, judge, lesson, own, arm, number, options, clip)
        write_text(table, encoded(found, FIELDS))
        bar((done + 1) / len(jobs), f"{lesson.style} {lesson.number}")
    return means(found), {}


def _taught(
    backend: Backend, judge: Judge, lesson: Lesson, folder: Path, arm: str, number: int, options: TrainOptions,
    clip: Any,
) -> list[dict[str, Any]]:  # fmt: skip
    """Train what is left of a run and judge it under both ways of guidance."""
    run: Run = open_run(folder)
    outcome = train(run, backend, clip=clip)
    told = []
    try:
        for guidance in ("asymmetric", "both branches"):
            shown = paint(backend, outcome.adapter, lesson, options.changed(guidance=guidance), options.seed)
            row = {
                "arm": arm, "round": number, "guidance": guidance, "style": lesson.style, "picture": lesson.number,
                "seed": options.seed, "picks": len(run.rounds[-1]["picks"]), **judged(judge, lesson, shown),
            }  # fmt: skip
            told.append({name: str(value) for name, value in row.items()})
    finally:
        outcome.adapter.remove()
    return told


def means(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Per arm, round and guidance the means over lessons and seeds."""
    report: dict[str, Any] = {}
    for row in found:
        report.setdefault(f"{row['arm']}, round {row['round']}, {row['guidance']}", []).append(row)
    return {
        name: {n: round(sum(float(r[n]) for r in rows) / len(rows), 4) for n in FIELDS[6:]} | {"rows": len(rows)}
        for name, rows in report.items()
    }
