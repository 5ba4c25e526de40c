"""`bench lora-transfer`: a picture repainted with the base and the triple process, with a LoRA alone, and with both.

The lessons of `bench learn`; each style picture's painter also paints the contents, so the truth is known.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from ...learn.options import defaults
from ...models.contracts import Backend
from ...models.lora import Adapter, without_lora
from ...pictures import sheet
from ...transfer import Content, Models, TransferOptions, preset, stylize
from ...words.strip import strip
from ...world import caption, random_look, random_scene
from ...world.captions import MEDIA
from ..metrics.fidelity import transfer_scores, truth_distances
from ..metrics.pairs import Pair, picture
from .context import BenchContext, BenchResult
from .lessons import LESSONS_SEED, PICTURES, Lesson, lessons, train_lesson
from .tables import Row, as_text, mean_of, read_rows, table_path, write_rows

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
CONTENT_CFG = 2.0  # of the arms that say what the content shows, style aside


@dataclass(frozen=True)
class Arm:
    """Settings, whether generation has the LoRA, and whether its prompt is the content's stripped caption."""

    options: TransferOptions
    lora: bool = False
    captioned: bool = False


def arms(backend: Backend) -> dict[str, Arm]:
    """The settings that are compared."""
    triple = replace(preset("wallfacer", backend), size_px=0)
    alone = triple.changed(strength=0.0, adain=0.0)
    return {
        "triple, base": Arm(triple),
        "triple, base, words": Arm(triple.changed(cfg=CONTENT_CFG), captioned=True),
        "LoRA alone": Arm(alone, lora=True),
        "LoRA alone, words": Arm(alone.changed(cfg=CONTENT_CFG), lora=True, captioned=True),
        "LoRA and triple": Arm(triple.changed(adain=0.0), lora=True),
        "LoRA and triple, words": Arm(triple.changed(adain=0.0, cfg=CONTENT_CFG), lora=True, captioned=True),
        "LoRA and triple, half strength, words": Arm(
            triple.changed(adain=0.0, cfg=CONTENT_CFG, strength=0.5), lora=True, captioned=True
        ),
    }


def pairs_of(lesson: Lesson, count: int = CONTENTS) -> list[Pair]:
    """Contents with the ground and hour of a lesson's picture, and the truth by its painter."""
    look = random_look(lesson.style, lesson.seed, "natural")
    pairs: list[Pair] = []
    seed = lesson.seed + 600_000
    while len(pairs) < count:
        scene = random_scene(seed, ground=lesson.scene.ground, time=lesson.scene.time)
        seed += 1
        if scene.main.kind != lesson.scene.main.kind:
            content = picture(scene, random_look("photo", seed))
            truth, other = (picture(scene, look.reseeded(seed + k)) for k in (1, 2))
            pairs.append(Pair(content, lesson.picture, truth, other, scene, lesson.scene, look))
    return pairs


def repaint(backend: Backend, adapter: Adapter, pairs: list[Pair], arm: Arm, strength: float, seed: int) -> Tensor:
    """Results [pairs, 3, H, W] of one arm. Content is followed by the plain model in all of them (arXiv 2506.15033)."""
    plain = without_lora(backend, adapter)
    active = backend if arm.lora else plain
    contents = [Content(p.content, caption(p.scene, p.look, "stripped") if arm.captioned else "") for p in pairs]
    with adapter.at_strength(strength):
        result = stylize(
            Models(active, content=plain, style=active, unconditional=plain),
            contents,
            [pairs[0].style],
            arm.options,
            seed=seed,
        )
    return torch.stack(result.images).clamp(0, 1)


def run(context: BenchContext, start: int = LESSONS_SEED) -> BenchResult:
    """Rows in lora-transfer.csv, one a content and arm; report by arm, and a page of what was painted in this call.

    When quick, the first picture of each style. `start`: the lessons' first seed.
    """
    backend = context.backend
    table = table_path(context.out, "lora-transfer.csv", former="taught.csv")
    rows = read_rows(table)
    jobs = lessons(1 if context.quick else PICTURES, start=start)
    page: list[list[Any]] = []
    for number, lesson in enumerate(jobs):
        present = {r["arm"] for r in rows if (r["style"], r["picture"]) == (lesson.style, str(lesson.number))}
        missing = {name: arm for name, arm in arms(backend).items() if name not in present}
        if not missing:
            continue
        pairs, results = _repaint_lesson(context, lesson, missing)
        rows += _rows(context, lesson, pairs, results)
        write_rows(table, rows, FIELDS)
        page += [[p.content, p.style, *(results[n][k] for n in results), p.truth] for k, p in enumerate(pairs[:3])]
        context.bar((number + 1) / len(jobs), f"{lesson.style} {lesson.number}")
    labels = ["content", "style", *arms(backend), "truth"]
    return repainting_means(rows), {"": sheet(page, labels, [], cell_px=112)} if page else {}


def _repaint_lesson(
    context: BenchContext, lesson: Lesson, missing: dict[str, Arm]
) -> tuple[list[Pair], dict[str, Tensor]]:
    """Train the lesson's LoRA and repaint its contents under every missing arm."""
    options = defaults(context.backend.family).changed(sample_every=0, seed=context.seed)
    adapter, _ = train_lesson(context.backend, lesson, strip(lesson.caption, media=MEDIA).stripped, options)
    try:
        pairs = pairs_of(lesson)
        results = {
            name: repaint(context.backend, adapter, pairs, arm, options.strength, context.seed)
            for name, arm in missing.items()
        }
    finally:
        adapter.remove()
    return pairs, results


def _rows(context: BenchContext, lesson: Lesson, pairs: list[Pair], results: dict[str, Tensor]) -> list[Row]:
    distances = truth_distances(pairs, results)
    rows = []
    for name, images in results.items():
        for k, pair in enumerate(pairs):
            scores = transfer_scores(context.classifier, [pair], images[k : k + 1])
            row = {
                "arm": name,
                "style": lesson.style,
                "picture": lesson.number,
                "seed": context.seed,
                "content": k,
                "style_right": scores["style"],
                "object_right": scores["object"],
                "both": scores["both"],
                "leak": scores["leak"],
                **{d: round(float(v[k]), 4) for d, v in distances[name].items()},
            }
            rows.append(as_text(row))
    return rows


def repainting_means(rows: list[Row]) -> dict[str, Any]:
    """Per arm the means over its rows, and both by style."""
    report: dict[str, Any] = {}
    for arm in dict.fromkeys(row["arm"] for row in rows):
        of_arm = [row for row in rows if row["arm"] == arm]
        both = {
            style: mean_of([row for row in of_arm if row["style"] == style], "both")
            for style in dict.fromkeys(row["style"] for row in of_arm)
        }
        means = {name: mean_of(of_arm, name) for name in FIELDS[5:]}
        report[arm] = means | {"rows": len(of_arm), "both by style": both}
    return report
