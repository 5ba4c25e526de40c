"""The demo's transfer: scenes in the style of eight pictures, beside the truth, which their painters also made."""

from __future__ import annotations

from dataclasses import replace

import torch

from ..color.fine_detail import with_fine_detail
from ..measure.metrics.fidelity import compare, repaint_pairs
from ..measure.metrics.pairs import make_pairs
from ..pictures import sheet
from ..presets import FINE_DETAIL
from ..transfer import preset
from ..transfer.word_guidance import by_read_words
from ..words.caption import load_captioner
from ..words.clip import load_clip
from ..words.picture_words import WordReader, auto_prompts
from ..world.seeds import TEST_SEED
from .stage import Result, Stage

# As `stylize` does it.
AUTO = "nothing typed, words read from the pictures"
STYLES = ("stained glass", "woodcut", "watercolour", "mosaic", "comic", "pencil", "halftone", "ink")


def run(stage: Stage) -> Result:
    """A page of results without words and with those read from the pictures; the table of a bench, and the prompts."""
    bar = stage.bars("image to image")
    pairs = make_pairs(len(STYLES), TEST_SEED + 1000 * (stage.seed + 1), STYLES)
    reader = WordReader(load_captioner("mini"), load_clip("mini"))
    prompts = auto_prompts(reader, [p.content for p in pairs], [p.style for p in pairs])
    settings = {
        "wallfacer": stage.options,
        AUTO: replace(by_read_words(stage.backend), size_px=0),
        "adain": replace(preset("adain", stage.backend), size_px=0),
    }
    results = {
        name: repaint_pairs(
            stage.backend,
            pairs,
            options,
            stage.seed,
            lambda value, k=k: bar((k + value) / len(settings)),
            prompts=prompts if name == AUTO else (),
        )
        for k, (name, options) in enumerate(settings.items())
    }
    for name in ("wallfacer", AUTO):
        detailed = [
            with_fine_detail(image, pair.content, stage.backend.codec, FINE_DETAIL)
            for image, pair in zip(results[name], pairs)
        ]
        results[name] = torch.stack(detailed)
    on_page = [results[name] for name in ("wallfacer", AUTO)]
    page = sheet(
        [[p.content, p.style, *(images[i] for images in on_page), p.truth] for i, p in enumerate(pairs)],
        ["content", "style", "result, no words", "result, nothing typed", "truth"],
        [p.look.style for p in pairs],
        cell_px=160,
        title="Repainted in the style of a picture",
    )
    results |= {
        "content itself": torch.stack([p.content for p in pairs]),
        "another render of the truth": torch.stack([p.other for p in pairs]),
    }
    return page, compare(pairs, stage.classifier, results, "wallfacer", AUTO) | {"prompts": prompts}
