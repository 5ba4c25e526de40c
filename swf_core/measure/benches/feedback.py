"""`bench feedback`: do picked samples help? Two rounds of automatic picks against as many steps without, five seeds.

The lessons of `bench learn`, one picture of each style a seed. After a round samples of twelve contents are looked at
by the automatic picker, which never asks the classifier; the best four join the data set with the default share of each
batch, and training goes on. The same run, copied, goes on without.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from torch import Tensor

from ...files import write_text
from ...learn import picks
from ...learn.dataset import items_of
from ...learn.options import defaults
from ...learn.run import Prompt, Run, create, open_run
from ...learn.signals import COPIED, copying
from ...learn.train import train
from ...models.contracts import Backend
from ...models.lora import without
from ...words.clip import load_clip
from ...words.strip import strip
from ...world import describe, random_scene
from ...world.seeds import TEST_SEED
from ..metrics.classifier import SceneClassifier
from .gap import SEEDS, compared
from .learn import PICTURES, Lesson, encoded, judged, lessons, paint, read

ROUNDS, STEPS, MORE, LOOKED, PICKED = 2, 120, 80, 12, 4
SHARES = ("style_right", "object_right", "both", "style_probability", "leak", "copied")
FIELDS = ("arm", "round", "style", "picture", "seed", *SHARES, "picks")


def prompts_of(lesson: Lesson, count: int = LOOKED) -> tuple[Prompt, ...]:
    """Contents to pick from: others than those the lesson is judged on, none with the picture's object."""
    texts, at = [], lesson.seed + 800_000
    while len(texts) < count:
        scene = random_scene(at, second=False)
        at += 1
        if scene.main.kind != lesson.scene.main.kind:
            texts.append(describe(scene))
    return tuple(Prompt(text, 100 * k) for k, text in enumerate(texts))


def feedback(
    backend: Backend,
    classifier: SceneClassifier,
    out: Path,
    quick: bool,
    seed: int,
    bar: Callable[..., None],
    start: int = TEST_SEED + 50_000,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Rows in feedback.csv, one an arm and round; the means over them, and with picks minus without after each round.

    With `quick` one seed.
    """
    table, clip = out / "feedback.csv", load_clip("mini")
    found = read(table)
    seeds, taught = SEEDS[: 1 if quick else None], lessons(start=start)
    jobs = [(k, lesson) for k in seeds for lesson in taught if lesson.number == k % PICTURES]
    for done, (k, lesson) in enumerate(jobs):
        mine = (lesson.style, str(lesson.number), str(seed + k))
        if sum((r["style"], r["picture"], r["seed"]) == mine for r in found) == 1 + 2 * ROUNDS:
            continue
        found = [r for r in found if (r["style"], r["picture"], r["seed"]) != mine]
        options = defaults(backend.family).changed(steps=STEPS, sample_every=10**6, seed=seed + k)
        with tempfile.TemporaryDirectory() as folder:
            first = Path(folder) / "first"
            text = strip(lesson.caption).stripped
            create(first, backend, options, items_of([lesson.shown], [text]), prompts_of(lesson))
            plain: list[Tensor] = []
            found.append(_taught(backend, classifier, lesson, first, "start", 0, clip, plain))
            for arm in ("picks", "no picks"):
                own = Path(folder) / arm
                shutil.copytree(first, own)
                for number in range(1, ROUNDS + 1):
                    run = open_run(own)
                    if arm == "picks":
                        picks.judge(own, accept=picks.auto_pick(run, clip, PICKED))
                    looked_at = arm == "picks" and number < ROUNDS
                    more = {} if looked_at else {"sample_every": 0}
                    run.add_round(MORE, picks.taken(own), **more)
                    run.save()
                    found.append(_taught(backend, classifier, lesson, own, arm, number, clip, plain))
        write_text(table, encoded(found, FIELDS))
        bar((done + 1) / len(jobs), f"{lesson.style} {lesson.number}, seed {seed + k}")
    report = means(found)
    for number in range(1, ROUNDS + 1):
        pairs = [r for r in found if r["round"] == str(number)]
        report[f"picks minus none, round {number}"] = compared(pairs, ("picks", "no picks"), SHARES)
    return report, {}


def _taught(
    backend: Backend,
    classifier: SceneClassifier,
    lesson: Lesson,
    folder: Path,
    arm: str,
    number: int,
    clip: Any,
    plain: list[Tensor],
) -> dict[str, Any]:
    """Train what is left of a run and measure it. `plain`: the contents without the LoRA, painted the first time."""
    run: Run = open_run(folder)
    options = run.options
    outcome = train(run, backend, clip=clip)
    try:
        shown = paint(backend, outcome.adapter, lesson, options, options.seed)
        if not plain:
            plain += paint(without(backend, outcome.adapter), outcome.adapter, lesson, options, options.seed)
    finally:
        outcome.adapter.remove()
    copied = [copying(s, [lesson.shown], p) > COPIED for s, p in zip(shown, plain)]
    row = {
        "arm": arm,
        "round": number,
        "style": lesson.style,
        "picture": lesson.number,
        "seed": options.seed,
        "picks": len(run.rounds[-1]["picks"]),
        "copied": round(sum(copied) / len(copied), 4),
        **judged(classifier, lesson, shown),
    }
    return {name: str(value) for name, value in row.items()}


def means(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Per arm and round the means over lessons and seeds."""
    report: dict[str, Any] = {}
    for row in found:
        report.setdefault(f"{row['arm']}, round {row['round']}", []).append(row)
    return {
        name: {n: round(sum(float(r[n]) for r in rows) / len(rows), 4) for n in SHARES} | {"rows": len(rows)}
        for name, rows in report.items()
    }
