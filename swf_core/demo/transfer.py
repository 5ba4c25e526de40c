"""The demo's transfer: scenes in the style of eight pictures, beside the truth, which their painters also made."""

from __future__ import annotations

from dataclasses import replace

import torch

from ..measure.metrics.fidelity import CAPTIONED, CAPTIONED_CFG, compare, repaint_pairs
from ..measure.metrics.pairs import make_pairs
from ..pictures import sheet
from ..transfer import preset
from ..world.seeds import TEST_SEED
from .stage import Result, Stage

STYLES = ("stained glass", "woodcut", "watercolour", "mosaic", "comic", "pencil", "halftone", "ink")


def run(stage: Stage) -> Result:
    """A page of results from pictures alone and with a caption; the report is the table of a bench."""
    bar = stage.bars("image to image")
    pairs = make_pairs(len(STYLES), TEST_SEED + 1000 * (stage.seed + 1), STYLES)
    settings = {
        "wallfacer": stage.options,
        CAPTIONED: stage.options.changed(cfg=CAPTIONED_CFG),
        "adain": replace(preset("adain", stage.backend), size_px=0),
    }
    results = {
        name: repaint_pairs(
            stage.backend,
            pairs,
            options,
            stage.seed,
            lambda value, k=k: bar((k + value) / len(settings)),
            captioned=name == CAPTIONED,
        )
        for k, (name, options) in enumerate(settings.items())
    }
    on_page = [results[name] for name in ("wallfacer", CAPTIONED)]
    page = sheet(
        [[p.content, p.style, *(images[i] for images in on_page), p.truth] for i, p in enumerate(pairs)],
        ["content", "style", "result, pictures alone", "result, with a caption as prompt", "truth"],
        [p.look.style for p in pairs],
        cell_px=160,
        title="Repainted in the style of a picture",
    )
    results |= {
        "content itself": torch.stack([p.content for p in pairs]),
        "another render of the truth": torch.stack([p.other for p in pairs]),
    }
    return page, compare(pairs, stage.classifier, results, "wallfacer", CAPTIONED)
