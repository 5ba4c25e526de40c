"""Lessons of the training benches: one picture of a style that the UNet has never seen, and contents to paint in it."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ...learn.dataset import items_of
from ...learn.options import TrainOptions
from ...learn.run import create_run
from ...learn.train import train
from ...models.contracts import Backend
from ...models.lora import Adapter, without_lora
from ...transfer import Models, SampleOptions, sample
from ...world import HELD_OUT, Scene, caption, describe, random_look, random_scene
from ...world.seeds import TEST_SEED
from ..metrics.classifier import LABELS, SceneClassifier
from ..metrics.pairs import picture

PICTURES, CONTENTS = 3, 16
LESSONS_SEED = TEST_SEED + 50_000


@dataclass(frozen=True)
class Lesson:
    """A style picture with its scene and full caption, and the contents that are asked for afterwards."""

    style: str
    number: int
    seed: int
    scene: Scene
    picture: Tensor
    caption: str
    contents: tuple[Scene, ...]


def lessons(pictures: int = PICTURES, contents: int = CONTENTS, start: int = LESSONS_SEED) -> list[Lesson]:
    """The same lessons at every call; no content shows the object of its lesson's picture."""
    result = []
    for k, style in enumerate(HELD_OUT):
        for number in range(pictures):
            seed = start + 1000 * k + 100 * number
            scene, look = random_scene(seed, second=False), random_look(style, seed, "natural")
            other_objects, content_seed = [], seed + 300_000
            while len(other_objects) < contents:
                content = random_scene(content_seed, second=False)
                content_seed += 1
                if content.main.kind != scene.main.kind:
                    other_objects.append(content)
            result.append(
                Lesson(style, number, seed, scene, picture(scene, look), caption(scene, look), tuple(other_objects))
            )
    return result


def train_lesson(backend: Backend, lesson: Lesson, text: str, options: TrainOptions) -> tuple[Adapter, float]:
    """`train_picture` on the lesson's picture. Also the seconds."""
    return train_picture(backend, lesson.picture, text, options)


def train_picture(backend: Backend, style: Tensor, text: str, options: TrainOptions) -> tuple[Adapter, float]:
    """Train on one picture [3, H, W] under a caption; the LoRA is in the backend's network then. Also the seconds."""
    with tempfile.TemporaryDirectory() as folder:
        run = create_run(Path(folder) / "run", backend, options, items_of([style], [text]), ())
        outcome = train(run, backend)
    return outcome.adapter, outcome.seconds


def paint_contents(backend: Backend, adapter: Adapter, lesson: Lesson, options: TrainOptions, seed: int) -> Tensor:
    """The contents from words alone, [N, 3, H, W]."""
    plain = without_lora(backend, adapter)
    with adapter.at_strength(options.strength):
        result = sample(
            Models(backend, unconditional=plain if options.lora_guidance == "asymmetric" else None),
            [describe(c) for c in lesson.contents],
            SampleOptions(steps=options.sample_steps, cfg=options.sample_cfg, batch=16),
            seed=TEST_SEED + seed,
        )
    return torch.stack(result.images).clamp(0, 1)


def lesson_scores(classifier: SceneClassifier, lesson: Lesson, pictures: Tensor) -> dict[str, float]:
    """Shares over the contents: style and object right, both, and the style picture's object seen instead."""
    answers, probabilities = classifier.answers(pictures), classifier.probabilities(pictures)["style"]
    style = np.array([a == lesson.style for a in answers["style"]])
    kind = np.array([a == c.main.kind for a, c in zip(answers["object"], lesson.contents)])
    leak = np.array([a == lesson.scene.main.kind for a in answers["object"]])
    values = {
        "style_right": style.mean(),
        "object_right": kind.mean(),
        "both": (style & kind).mean(),
        "style_probability": float(probabilities[:, LABELS["style"].index(lesson.style)].mean()),
        "leak": leak.mean(),
    }
    return {name: round(float(value), 4) for name, value in values.items()}
