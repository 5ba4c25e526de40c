"""`bench feedback`: do picked samples help? Two rounds of automatic picks against as many steps without, five seeds.

The lessons of `bench learn`, one picture of each style a seed. After a round samples of twelve contents are looked at
by the automatic picker, which never asks the classifier; the best four join the data set with the default share of each
batch, and training goes on. The same run, copied, goes on without.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor

from ...learn import picks
from ...learn.dataset import items_of
from ...learn.options import defaults
from ...learn.run import Prompt, create_run, open_run
from ...learn.signals import COPYING_LIMIT, copying
from ...learn.train import train
from ...models.lora import without_lora
from ...words.clip import load_clip
from ...words.strip import strip
from ...world import describe, random_scene
from ...world.captions import MEDIA
from .context import BenchContext, BenchResult
from .gap import SEEDS, paired_difference
from .lessons import LESSONS_SEED, PICTURES, Lesson, lesson_scores, lessons, paint_contents
from .tables import Row, as_text, mean_of, read_rows, write_rows

ROUNDS, STEPS, MORE_STEPS, CANDIDATES, PICKED = 2, 120, 80, 12, 4
MEASURES = ("style_right", "object_right", "both", "style_probability", "leak", "copied")
FIELDS = ("arm", "round", "style", "picture", "seed", *MEASURES, "picks")


def run(context: BenchContext, start: int = LESSONS_SEED) -> BenchResult:
    """Rows in feedback.csv, one an arm and round; the means over them, and with picks minus without after each round.

    When quick, one seed. `start`: the lessons' first seed.
    """
    table, clip = context.out / "feedback.csv", load_clip("mini")
    rows = read_rows(table)
    every_lesson = lessons(start=start)
    seeds = SEEDS[: 1 if context.quick else None]
    jobs = [(k, lesson) for k in seeds for lesson in every_lesson if lesson.number == k % PICTURES]
    for number, (k, lesson) in enumerate(jobs):
        key = (lesson.style, str(lesson.number), str(context.seed + k))
        own = [row for row in rows if (row["style"], row["picture"], row["seed"]) == key]
        if len(own) == 1 + 2 * ROUNDS:
            continue
        rows = [row for row in rows if row not in own]
        with tempfile.TemporaryDirectory() as folder:
            rows += _Trial(context, lesson, context.seed + k, clip, Path(folder)).rows()
        write_rows(table, rows, FIELDS)
        context.bar((number + 1) / len(jobs), f"{lesson.style} {lesson.number}, seed {context.seed + k}")
    report = round_means(rows)
    for number in range(1, ROUNDS + 1):
        of_round = [row for row in rows if row["round"] == str(number)]
        report[f"picks minus none, round {number}"] = paired_difference(of_round, ("picks", "no picks"), MEASURES)
    return report, {}


@dataclass
class _Trial:
    """One lesson under one seed: a first training, copied into two arms that go on with picks and without."""

    context: BenchContext
    lesson: Lesson
    seed: int
    clip: Any
    folder: Path
    plain: list[Tensor] = field(default_factory=list)  # the contents without the LoRA, painted the first time

    def rows(self) -> list[Row]:
        """The start, then every round of both arms."""
        first = self.folder / "first"
        backend = self.context.backend
        options = defaults(backend.family).changed(steps=STEPS, sample_every=10**6, seed=self.seed)
        items = items_of([self.lesson.picture], [strip(self.lesson.caption, media=MEDIA).stripped])
        create_run(first, backend, options, items, candidate_prompts(self.lesson))
        rows = [self._trained(first, "start", 0)]
        for arm in ("picks", "no picks"):
            own = self.folder / arm
            shutil.copytree(first, own)
            for number in range(1, ROUNDS + 1):
                self._add_round(own, arm, number)
                rows.append(self._trained(own, arm, number))
        return rows

    def _add_round(self, folder: Path, arm: str, number: int) -> None:
        """More steps for a run, its best samples picked before; the last round needs no samples of its own."""
        run = open_run(folder)
        if arm == "picks":
            picks.set_verdict(folder, accept=picks.auto_pick(run, self.clip, PICKED))
        sampled = arm == "picks" and number < ROUNDS
        run.add_round(MORE_STEPS, picks.accepted_captions(folder), **({} if sampled else {"sample_every": 0}))
        run.save()

    def _trained(self, folder: Path, arm: str, number: int) -> Row:
        """Train the steps that remain of a run and measure it."""
        run, backend = open_run(folder), self.context.backend
        options = run.options
        outcome = train(run, backend, clip=self.clip)
        adapter = outcome.adapter
        try:
            painted = paint_contents(backend, adapter, self.lesson, options, options.seed)
            if not self.plain:
                self.plain += paint_contents(
                    without_lora(backend, adapter), adapter, self.lesson, options, options.seed
                )
        finally:
            adapter.remove()
        copies = [copying(s, [self.lesson.picture], p) > COPYING_LIMIT for s, p in zip(painted, self.plain)]
        row = {
            "arm": arm,
            "round": number,
            "style": self.lesson.style,
            "picture": self.lesson.number,
            "seed": options.seed,
            "picks": len(run.rounds[-1]["picks"]),
            "copied": round(sum(copies) / len(copies), 4),
            **lesson_scores(self.context.classifier, self.lesson, painted),
        }
        return as_text(row)


def candidate_prompts(lesson: Lesson, count: int = CANDIDATES) -> tuple[Prompt, ...]:
    """Contents to pick from: others than those the lesson is measured on, none with the picture's object."""
    texts, seed = [], lesson.seed + 800_000
    while len(texts) < count:
        scene = random_scene(seed, second=False)
        seed += 1
        if scene.main.kind != lesson.scene.main.kind:
            texts.append(describe(scene))
    return tuple(Prompt(text, 100 * k) for k, text in enumerate(texts))


def round_means(rows: list[Row]) -> dict[str, Any]:
    """Per arm and round the means over lessons and seeds."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(f"{row['arm']}, round {row['round']}", []).append(row)
    return {
        name: {measure: mean_of(group, measure) for measure in MEASURES} | {"rows": len(group)}
        for name, group in groups.items()
    }
