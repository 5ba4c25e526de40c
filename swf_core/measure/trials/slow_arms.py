"""Arms that take a minute or so a pair: a training for each style picture, or Gatys' optimization of pixels."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from ...classics.gatys import GatysOptions, gatys
from ...classics.second_pass import ITERATIONS, second_pass
from ...color.fine_detail import with_fine_detail
from ...features import Features
from ...learn.dataset import items_of
from ...learn.lesson import learn_style, lesson_options
from ...learn.options import TrainOptions, defaults
from ...models.contracts import Backend
from ...models.lora import without_lora
from ...presets import FINE_DETAIL
from ...transfer import Content, Models, preset, stylize
from ...transfer.presets import DEFAULT_PRESET
from ...transfer.word_guidance import guided_by_words
from ...world import caption
from ..benches.lessons import train_picture
from ..benches.lora_transfer import arms as lora_transfer_arms
from ..benches.lora_transfer import repaint
from ..metrics.pairs import Pair
from .arms import AUTO_WORDS, NOTHING_TYPED, Arm, Painted, arm_name
from .reader import PictureReader

SLOW_PAIRS = 15
REFINED = f"{NOTHING_TYPED}, second pass"
LESSON_STEPS = (60, 200)
_ARM = "LoRA alone, words"


def slow_arms(backend: Backend) -> dict[str, Arm]:
    """A LoRA of the style picture, trained under its stripped caption, without any injection; the prompt says what the
    content shows and nothing of the style, as in `bench lora-transfer`."""
    settings = f"{defaults(backend.family)!r} {lora_transfer_arms(backend)[_ARM].options!r}"
    return {"LoRA alone": Arm(lora_alone, settings, most_pairs=SLOW_PAIRS)}


def lora_alone(backend: Backend, pair: Pair, prompt: str, seed: int) -> Painted:
    """Train, repaint, take the LoRA out again. The training's evaluations are not counted; its seconds are."""
    options = defaults(backend.family).changed(sample_every=0, seed=seed)
    adapter, _ = train_picture(backend, pair.style, caption(pair.style_scene, pair.look, "stripped"), options)
    try:
        image = repaint(backend, adapter, [pair], lora_transfer_arms(backend)[_ARM], options.strength, seed)[0]
    finally:
        adapter.remove()
    return Painted(image)


def gatys_arm(features: Features) -> Arm:
    """Gatys et al. 2016 by these features, on the first pairs."""
    options = GatysOptions()

    def paint(backend: Backend, pair: Pair, prompt: str, seed: int) -> Painted:
        return Painted(gatys(features, pair.content, pair.style, options))

    return Arm(paint, f"{features.name} {options!r}", most_pairs=SLOW_PAIRS)


@dataclass(frozen=True)
class LessonTransfer:
    """Paints as `stylize --learn STEPS` does: a lesson of the style picture, then the transfer with it; nothing typed,
    the style's caption is read too. The lesson's evaluations are not counted; its seconds are."""

    lesson: TrainOptions
    reader: PictureReader
    steps: int

    def __call__(self, backend: Backend, pair: Pair, prompt: str, seed: int) -> Painted:
        items = items_of([pair.style], [self.reader.words_of(pair.style).stripped.stripped])
        with tempfile.TemporaryDirectory() as bank:
            adapter = learn_style(backend, items, self.lesson, Path(bank)).adapter
        try:
            plain = without_lora(backend, adapter)
            models = Models(backend, content=plain, unconditional=plain)
            # Of these models, as on the command line: with a LoRA the start keeps the content's tones.
            options = guided_by_words(preset(DEFAULT_PRESET, models), read=True, asymmetric=True)
            options = options.changed(size_px=0, steps=self.steps)
            result = stylize(models, [Content(pair.content, prompt)], [pair.style], options, seed=seed)
        finally:
            adapter.remove()
        picture = with_fine_detail(result.images[0].clamp(0, 1), pair.content, backend.codec, FINE_DETAIL)
        return Painted(picture, result.cost.counted)


def refined(arm: Arm, features: Features) -> Arm:
    """An arm with the second pass by these features behind it. The pass's evaluations are not the model's and are not
    counted; its seconds are."""

    def paint(backend: Backend, pair: Pair, prompt: str, seed: int) -> Painted:
        first = arm.paint(backend, pair, prompt, seed)
        return Painted(second_pass(features, first.picture, pair.style), first.evaluations)

    settings = f"{arm.settings} second pass {features.name} {GatysOptions(ITERATIONS)!r}"
    return replace(arm, paint=paint, settings=settings, seeded=False)


def lesson_arms(backend: Backend, reader: PictureReader) -> dict[str, Arm]:
    """The default preset after lessons of `LESSON_STEPS`, with words read from the pictures."""
    usual = guided_by_words(preset(DEFAULT_PRESET, backend), read=True, asymmetric=True)
    arms = {}
    for steps in LESSON_STEPS:
        paint = LessonTransfer(lesson_options(backend.family, steps), reader, usual.steps)
        settings = f"{paint.lesson!r} {usual!r} fine detail {FINE_DETAIL:g}"
        arms[arm_name(f"lesson of {steps} steps", AUTO_WORDS)] = Arm(paint, settings, "ours", AUTO_WORDS)
    return arms
