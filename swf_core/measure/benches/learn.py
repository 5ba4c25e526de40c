"""`bench learn`: one picture of a style that the UNet has never seen; is the style learnt, and does content survive?

Every held-out style, three style pictures each, a training for each arm, sixteen contents that are not in the picture,
asked for in words without style. A row a training, kept as it is made, so that a bench that was stopped goes on.
"""

from __future__ import annotations

import csv
import io
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...files import write_text
from ...learn.dataset import items_of
from ...learn.options import TrainOptions, defaults
from ...learn.run import create
from ...learn.train import train
from ...models.contracts import Backend
from ...models.lora import Adapter, without
from ...pictures import sheet
from ...transfer import sample
from ...words.strip import strip
from ...world import HELD_OUT, Scene, caption, describe, random_look, random_scene
from ...world.seeds import TEST_SEED
from ..metrics.classifier import LABELS, SceneClassifier
from ..metrics.pairs import picture

PICTURES, CONTENTS = 3, 16
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
# What each arm changes. The caption is stripped unless an arm says otherwise.
ARMS: dict[str, dict[str, Any]] = {
    "stripped": {},
    "off": {},
    "full caption": {},
    "empty caption": {},
    "no augmentation": {"views": 1},
    "LoRA in both branches": {"guidance": "both branches"},
}
BESIDE = ("stripped", "off", "full caption", "empty caption")  # on every picture, the others on the first of a style
# Why two controls come out otherwise than in that trial: the same three arms at its settings.
TRIAL_ARMS: dict[str, dict[str, Any]] = {
    "trial": _TRIAL,
    "trial, empty caption": _TRIAL,
    "trial, no augmentation": _TRIAL | {"views": 1},
}


@dataclass(frozen=True)
class Lesson:
    """A style picture with its scene, and the contents that are asked for afterwards."""

    style: str
    number: int
    seed: int
    scene: Scene
    shown: Tensor
    caption: str
    contents: tuple[Scene, ...]


def lessons(pictures: int = PICTURES, contents: int = CONTENTS, start: int = TEST_SEED + 50_000) -> list[Lesson]:
    """The same lessons at every call; no content shows the object of its lesson's picture."""
    found = []
    for k, style in enumerate(HELD_OUT):
        for number in range(pictures):
            seed = start + 1000 * k + 100 * number
            scene, look = random_scene(seed, second=False), random_look(style, seed, "natural")
            asked, at = [], seed + 300_000
            while len(asked) < contents:
                content = random_scene(at, second=False)
                at += 1
                if content.main.kind != scene.main.kind:
                    asked.append(content)
            found.append(Lesson(style, number, seed, scene, picture(scene, look), caption(scene, look), tuple(asked)))
    return found


def teach(backend: Backend, lesson: Lesson, arm: str, options: TrainOptions) -> tuple[Adapter, float, str]:
    """Train an arm; the LoRA is in the backend's network then. Also seconds and the caption trained on."""
    captions = {"full caption": lesson.caption, "empty caption": "", "trial, empty caption": ""}
    text = captions.get(arm, strip(lesson.caption).stripped)
    with tempfile.TemporaryDirectory() as folder:
        run = create(Path(folder) / "run", backend, options, items_of([lesson.shown], [text]), ())
        outcome = train(run, backend)
    return outcome.adapter, outcome.seconds, text


def paint(backend: Backend, adapter: Adapter, lesson: Lesson, options: TrainOptions, seed: int) -> Tensor:
    """The contents from words alone, [N, 3, H, W]."""
    plain = without(backend, adapter)
    with adapter.at(options.strength):
        result = sample(
            backend,
            [describe(c) for c in lesson.contents],
            steps=options.sample_steps,
            cfg=options.sample_cfg,
            seed=TEST_SEED + seed,
            batch=16,
            unconditional_model=plain if options.guidance == "asymmetric" else None,
        )
    return torch.stack(result.images).clamp(0, 1)


def judged(classifier: SceneClassifier, lesson: Lesson, pictures: Tensor) -> dict[str, float]:
    """Shares over the contents: style and object right, both, and the style picture's object seen instead."""
    answers, chances = classifier.answers(pictures), classifier.probabilities(pictures)["style"]
    style = np.array([a == lesson.style for a in answers["style"]])
    kind = np.array([a == c.main.kind for a, c in zip(answers["object"], lesson.contents)])
    leak = np.array([a == lesson.scene.main.kind for a in answers["object"]])
    values = {
        "style_right": style.mean(),
        "object_right": kind.mean(),
        "both": (style & kind).mean(),
        "style_probability": float(chances[:, LABELS["style"].index(lesson.style)].mean()),
        "leak": leak.mean(),
    }
    return {name: round(float(value), 4) for name, value in values.items()}


def rows(
    backend: Backend,
    classifier: SceneClassifier,
    table: Path,
    arms: Sequence[str],
    seeds: Sequence[int],
    change: dict[str, Any] | None = None,
    pictures: int = PICTURES,
    progress: Callable[[float, str], None] | None = None,
) -> tuple[list[dict[str, Any]], dict[tuple[str, str, int], Tensor]]:
    """All rows of these arms and seeds in `table`, making those that are missing; and the pictures made now.

    `change`: options other than the defaults, for every arm.
    """
    known = read(table)
    have = {(r["arm"], r["style"], int(r["picture"]), int(r["seed"])) for r in known}
    jobs = [(lesson, arm, seed) for seed in seeds for lesson in lessons(pictures) for arm in arms]
    made: dict[tuple[str, str, int], Tensor] = {}
    for done, (lesson, arm, seed) in enumerate(jobs):
        if (arm, lesson.style, lesson.number, seed) in have:
            continue
        dials = {"sample_every": 0, "seed": seed, **(change or {}), **(ARMS | TRIAL_ARMS)[arm]}
        options = defaults(backend.family).changed(**dials)
        began = time.perf_counter()
        adapter, seconds, text = teach(backend, lesson, arm, options.changed(steps=1) if arm == "off" else options)
        try:
            active = without(backend, adapter) if arm == "off" else backend
            shown = paint(active, adapter, lesson, options, seed)
        finally:
            adapter.remove()
        row = {
            "arm": arm,
            "style": lesson.style,
            "picture": lesson.number,
            "seed": seed,
            "caption": text,
            "train_seconds": round(seconds, 1),
            **judged(classifier, lesson, shown),
        }
        known.append({name: str(value) for name, value in row.items()})
        write_text(table, encoded(known))
        made[arm, lesson.style, lesson.number] = shown
        if progress:
            word = f"{lesson.style} {lesson.number}, {arm}: {row['both']:.2f} in {time.perf_counter() - began:.0f} s"
            progress((done + 1) / len(jobs), word)
    wanted = {(arm, lesson.style, lesson.number, seed) for lesson, arm, seed in jobs}
    return [r for r in known if (r["arm"], r["style"], int(r["picture"]), int(r["seed"])) in wanted], made


def learn(
    backend: Backend, classifier: SceneClassifier, out: Path, quick: bool, seed: int, bar: Callable[..., None]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The arms of `BESIDE` on all lessons, the others and the trial's settings on the first picture of each style; with
    `quick` that picture and the default arm alone.

    Report, and a page of what the default arm painted in this call.
    """
    arms, pictures = (("stripped",), 1) if quick else (BESIDE, PICTURES)
    found, made = rows(backend, classifier, out / "learn.csv", arms, [seed], None, pictures, bar)
    if not quick:
        others = tuple(name for name in ARMS | TRIAL_ARMS if name not in BESIDE)
        found += rows(backend, classifier, out / "learn.csv", others, [seed], None, 1, bar)[0]
    shown = [
        [lesson.shown, *made["stripped", lesson.style, lesson.number]]
        for lesson in lessons(pictures)
        if ("stripped", lesson.style, lesson.number) in made
    ]
    pages = {"": sheet(shown, [], [], cell_px=96)} if shown else {}
    return means(found), pages


def read(table: Path) -> list[dict[str, Any]]:
    """The rows of a table, none where there is no file."""
    return list(csv.DictReader(table.read_text(encoding="utf-8").splitlines())) if table.exists() else []


def encoded(found: Sequence[dict[str, Any]], fields: Sequence[str] = FIELDS) -> str:
    """A table as CSV."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fields, lineterminator="\n")
    writer.writeheader()
    writer.writerows(found)
    return text.getvalue()


def means(found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Per arm the means over all rows, and by style."""
    report: dict[str, Any] = {}
    for arm in dict.fromkeys(r["arm"] for r in found):
        of_arm = [r for r in found if r["arm"] == arm]
        report[arm] = _mean(of_arm) | {
            "by_style": {s: _mean([r for r in of_arm if r["style"] == s]) for s in sorted({r["style"] for r in of_arm})}
        }
    return report


def _mean(found: Sequence[dict[str, Any]]) -> dict[str, float]:
    names = ("style_right", "object_right", "both", "style_probability", "leak", "train_seconds")
    return {n: round(float(np.mean([float(r[n]) for r in found])), 4) for n in names} | {"rows": len(found)}
