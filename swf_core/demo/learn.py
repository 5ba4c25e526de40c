"""The demo's training: a style that the model has never seen is learnt from one picture, and painted from words."""

from __future__ import annotations

import tempfile
from pathlib import Path

import torch

from ..learn.dataset import items_of
from ..learn.options import defaults
from ..learn.run import Prompt, create_run
from ..learn.samples import sample_prompts
from ..learn.train import train
from ..measure.metrics.pairs import picture
from ..models.lora import without_lora
from ..pictures import sheet
from ..words.caption import CaptionOptions, caption_pictures, load_captioner
from ..words.clip import load_clip
from ..words.strip import strip
from ..world import random_look, random_scene
from ..world.seeds import TEST_SEED
from .stage import Result, Stage

STYLE = "neon"
# Contents that the style picture, a yellow house on the grass at noon, does not show.
PROMPTS = (
    "a red boat by the sea at sunset",
    "a white cat on the grass at noon",
    "a blue car on the sand at noon",
    "a green windmill on the grass at sunset",
    "a purple balloon by the sea at noon",
)


def run(stage: Stage) -> Result:
    """A page: the style picture, each content without and with the LoRA; and what was trained, as data."""
    bar, backend, seed = stage.bars("learning a style"), stage.backend, stage.seed
    scene = random_scene(TEST_SEED + 55_200, kind="house", color="yellow", ground="grass", time="noon", second=False)
    style = picture(scene, random_look(STYLE, TEST_SEED + 55_200 + seed, "natural"))
    captioner = load_captioner("mini")
    captioned = caption_pictures(captioner, [style], CaptionOptions(samples=4), load_clip("mini"), seed)[0]
    stripped = strip(captioned.caption, media=captioner.media).stripped
    options = defaults("mini").changed(sample_every=0, seed=seed)
    prompts = tuple(Prompt(text, seed + k) for k, text in enumerate(PROMPTS))
    with tempfile.TemporaryDirectory() as folder:
        training = create_run(Path(folder) / "run", backend, options, items_of([style], [stripped]), prompts)
        outcome = train(training, backend, report=lambda step, total, *_: bar(0.8 * step / total))
    adapter = outcome.adapter
    try:
        before = sample_prompts(without_lora(backend, adapter), adapter, prompts, options)
        with adapter.at_strength(options.strength):
            after = sample_prompts(backend, adapter, prompts, options)
    finally:
        adapter.remove()
    bar(1.0)
    answers = stage.classifier.answers(torch.stack(after))
    page = sheet(
        [[style, *before], [None, *after]],
        ["the picture", *(p.removeprefix("a ") for p in PROMPTS)],
        ["without", "learnt"],
        cell_px=160,
        title=f"A style learnt from one picture ({stripped}), painted from words",
    )
    return page, {
        "style": STYLE,
        "caption": captioned.caption,
        "trained on": stripped,
        "steps": outcome.step,
        "seconds": round(outcome.seconds, 1),
        "style recognised": answers["style"].count(STYLE) / len(PROMPTS),
        "object right": sum(kind in p for kind, p in zip(answers["object"], PROMPTS)) / len(PROMPTS),
    }
