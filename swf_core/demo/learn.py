"""The demo's second stage: a style that the model has never seen is learnt from one picture, and painted from words."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from ..measure.metrics.classifier import SceneClassifier
from ..measure.metrics.pairs import picture
from ..models.contracts import Backend
from ..pictures import sheet
from ..world import random_look, random_scene
from ..world.seeds import TEST_SEED

STYLE = "neon"
# Contents that the style picture, a yellow house on the grass at noon, does not show.
PROMPTS = (
    "a red boat by the sea at sunset",
    "a white cat on the grass at noon",
    "a blue car on the sand at noon",
    "a green windmill on the grass at sunset",
    "a purple balloon by the sea at noon",
)


def learn(
    backend: Backend, classifier: SceneClassifier, seed: int, bar: Callable[..., None]
) -> tuple[Any, dict[str, Any]]:
    """A page: the style picture, each content without and with the LoRA; and what was trained, as data."""
    from ..learn.dataset import items_of
    from ..learn.options import defaults
    from ..learn.run import Prompt, create
    from ..learn.samples import sampled
    from ..learn.train import train
    from ..models.lora import without
    from ..words.caption import CaptionOptions, caption_pictures, load_captioner
    from ..words.clip import load_clip
    from ..words.strip import strip

    scene = random_scene(TEST_SEED + 55_200, kind="house", color="yellow", ground="grass", time="noon", second=False)
    shown = picture(scene, random_look(STYLE, TEST_SEED + 55_200 + seed, "natural"))
    said = caption_pictures(load_captioner("mini"), [shown], CaptionOptions(samples=4), load_clip("mini"), seed)[0]
    told = strip(said.caption)
    options = defaults("mini").changed(sample_every=0, seed=seed)
    prompts = tuple(Prompt(text, seed + k) for k, text in enumerate(PROMPTS))
    with tempfile.TemporaryDirectory() as folder:
        run = create(Path(folder) / "run", backend, options, items_of([shown], [told.stripped]), prompts)
        outcome = train(run, backend, report=lambda step, total, *_: bar(0.8 * step / total))
    adapter = outcome.adapter
    try:
        before = sampled(without(backend, adapter), adapter, prompts, options)
        with adapter.at(options.strength):
            after = sampled(backend, adapter, prompts, options)
    finally:
        adapter.remove()
    bar(1.0)
    answers = classifier.answers(torch.stack(after))
    page = sheet(
        [[shown, *before], [None, *after]],
        ["the picture", *(p.removeprefix("a ") for p in PROMPTS)],
        ["without", "learnt"],
        cell_px=160,
        title=f"A style learnt from one picture ({told.stripped}), painted from words",
    )
    return page, {
        "style": STYLE,
        "caption": said.caption,
        "trained on": told.stripped,
        "steps": outcome.step,
        "seconds": round(outcome.seconds, 1),
        "style recognised": answers["style"].count(STYLE) / len(PROMPTS),
        "object right": sum(kind in p for kind, p in zip(answers["object"], PROMPTS)) / len(PROMPTS),
    }
