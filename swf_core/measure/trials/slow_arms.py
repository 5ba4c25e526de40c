"""Arms that take a minute or so a pair: a training for each style picture. They paint the first pairs alone."""

from __future__ import annotations

from ...learn.options import defaults
from ...models.contracts import Backend
from ...world import caption
from ..benches.lessons import train_picture
from ..benches.lora_transfer import arms as lora_transfer_arms
from ..benches.lora_transfer import repaint
from ..metrics.pairs import Pair
from .arms import Arm, Painted

SLOW_PAIRS = 15
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
