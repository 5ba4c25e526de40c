"""`bench taught`: a picture repainted with the base and the triple process, with a LoRA alone, and with both.

The lessons of `bench learn`; each style picture's painter also paints the contents, so the truth is known.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ...files import write_text
from ...learn.options import defaults
from ...models.contracts import Backend
from ...models.lora import Adapter, without
from ...pictures import sheet
from ...transfer import TransferOptions, preset, stylize
from ...world import caption, random_look, random_scene
from ...world.seeds import TEST_SEED
from ..metrics.classifier import SceneClassifier
from ..metrics.fidelity import judged, truth_distances
from ..metrics.pairs import Pair, picture
from .learn import PICTURES, Lesson, encoded, lessons, read, teach

CONTENTS = 6
FIELDS = (
    "arm",
    "style",
    "picture",
    "seed",
    "content",
    "style_right",
    "object_right",
    "both",
    "leak",
    "gram",
    "low_pass",
)
WORDS_CFG = 2.0  # of the arms that say what the content shows, style aside


@dataclass(frozen=True)
class Arm:
    """Which weights and what settings: `taught` whether generation has the LoRA, `words` whether it is told the
    content's stripped caption, `style_taught` whether the style process has the LoRA too."""

    options: TransferOptions
    taught: bool = False
    words: bool = False
    style_taught: bool = True


def arms(backend: Backend) -> dict[str, Arm]:
    """The settings that are compared."""
    usual = replace(preset("wallfacer", backend), size_px=0)
    alone = usual.changed(strength=0.0, adain=0.0)
    return {
        "triple, base": Arm(usual),
        "triple, base, words": Arm(usual.changed(cfg=WORDS_CFG), words=True),
        "LoRA alone": Arm(alone, taught=True),
        "LoRA alone, words": Arm(alone.changed(cfg=WORDS_CFG), taught=True, words=True),
        "LoRA and triple": Arm(usual.changed(adain=0.0), taught=True),
        "LoRA and triple, words": Arm(usual.changed(adain=0.0, cfg=WORDS_CFG), taught=True, words=True),
        "LoRA and triple, half strength, words": Arm(
            usual.changed(adain=0.0, cfg=WORDS_CFG, strength=0.5), taught=True, words=True
        ),
    }


def pairs_of(lesson: Lesson, count: int = CONTENTS) -> list[Pair]:
    """Contents with the ground and hour of a lesson's picture, and the truth by its painter."""
    look = random_look(lesson.style, lesson.seed, "natural")
    found: list[Pair] = []
    at = lesson.seed + 600_000
    while len(found) < count:
        scene = random_scene(at, ground=lesson.scene.ground, time=lesson.scene.time)
        at += 1
        if scene.main.kind != lesson.scene.main.kind:
            found.append(
                Pair(
                    picture(scene, random_look("photo", at)),
                    lesson.shown,
                    picture(scene, look.reseeded(at + 1)),
                    picture(scene, look.reseeded(at + 2)),
                    scene,
                    lesson.scene,
                    look,
                )
            )
    return found


def repaint(backend: Backend, adapter: Adapter, pairs: list[Pair], arm: Arm, strength: float, seed: int) -> Tensor:
    """Results [pairs, 3, H, W] of one arm. Content is followed by the plain model in all of them (arXiv 2506.15033)."""
    plain = without(backend, adapter)
    active = backend if arm.taught else plain
    prompts = [caption(p.scene, p.look, "stripped") for p in pairs] if arm.words else ""
    with adapter.at(strength):
        result = stylize(
            active,
            [p.content for p in pairs],
            [pairs[0].style],
            arm.options,
            seed=seed,
            prompts=prompts,
            content_model=plain,
            style_model=active if arm.style_taught else plain,
            unconditional_model=plain,
        )
    return torch.stack(result.images).clamp(0, 1)


def taught(
    backend: Backend,
    classifier: SceneClassifier,
    out: Path,
    quick: bool,
    seed: int,
    bar: Callable[..., None],
    start: int = TEST_SEED + 50_000,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Rows in taught.csv, one a content and arm; report by arm, and a page of what was painted in this call."""
    table, options = out / "taught.csv", defaults(backend.family).changed(sample_every=0, seed=seed)
    found = read(table)
    jobs = [lesson for lesson in lessons(1 if quick else PICTURES, start=start)]
    page: list[list[Any]] = []
    for done, lesson in enumerate(jobs):
        have = {r["arm"] for r in found if (r["style"], r["picture"]) == (lesson.style, str(lesson.number))}
        missing = {name: arm for name, arm in arms(backend).items() if name not in have}
        if not missing:
            continue
        adapter, _, _ = teach(backend, lesson, "stripped", options)
        try:
            pairs = pairs_of(lesson)
            results = {n: repaint(backend, adapter, pairs, a, options.strength, seed) for n, a in missing.items()}
        finally:
            adapter.remove()
        distances = truth_distances(pairs, results)
        for name, images in results.items():
            for k, pair in enumerate(pairs):
                told = judged(classifier, [pair], images[k : k + 1])
                row = {
                    "arm": name,
                    "style": lesson.style,
                    "picture": lesson.number,
                    "seed": seed,
                    "content": k,
                    "style_right": told["style"],
                    "object_right": told["object"],
                    "both": told["both"],
                    "leak": told["leak"],
                    **{d: round(float(v[k]), 4) for d, v in distances[name].items()},
                }
                found.append({key: str(value) for key, value in row.items()})
        write_text(table, encoded(found, FIELDS))
        page += [[p.content, p.style, *(results[n][k] for n in results), p.truth] for k, p in enumerate(pairs[:3])]
        bar((done + 1) / len(jobs), f"{lesson.style} {lesson.number}")
    labels = ["content", "style", *arms(backend), "truth"]
    return means(found), {"": sheet(page, labels, [], cell_px=112)} if page else {}


def means(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Per arm the means over its rows, and both by style."""
    report: dict[str, Any] = {}
    for arm in dict.fromkeys(r["arm"] for r in found):
        rows = [r for r in found if r["arm"] == arm]
        values = {n: round(sum(float(r[n]) for r in rows) / len(rows), 4) for n in FIELDS[5:]}
        both = {
            style: round(
                sum(float(r["both"]) for r in rows if r["style"] == style) / sum(r["style"] == style for r in rows), 4
            )
            for style in dict.fromkeys(r["style"] for r in rows)
        }
        report[arm] = values | {"rows": len(rows), "both by style": both}
    return report
