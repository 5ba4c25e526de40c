"""The demo's image and text: a car repainted in two styles, with and without words for another color, ground, hour."""

from __future__ import annotations

from dataclasses import replace

from ..measure.metrics.pairs import picture
from ..pictures import sheet
from ..transfer import Content, stylize
from ..world import STYLE_WORDS, random_look, random_scene
from ..world.seeds import TEST_SEED
from .stage import Result, Stage

STYLES = ("stained glass", "comic")
EDITS = ("", "a white car on the sand at sunset", "a blue car in the snow at night")


def run(stage: Stage) -> Result:
    """A page with a row a style; nothing to report."""
    bar = stage.bars("image and text")
    rows = []
    content = picture(
        random_scene(TEST_SEED + 77, kind="car", color="red", ground="grass", time="noon", second=False),
        random_look("photo", TEST_SEED + 77),
    )
    for k, style in enumerate(STYLES):
        look = random_look(style, TEST_SEED + 80 + k, "natural")
        reference = picture(random_scene(TEST_SEED + 80 + k, kind="tree", ground="grass", time="noon"), look)
        row = [content, reference]
        for j, words in enumerate(EDITS):
            prompt = f"{STYLE_WORDS[style][0]} of {words}" if words else ""
            options = replace(stage.options, cfg=5.0, adain=0.2, denoise=0.9) if words else stage.options
            row += stylize(stage.backend, [Content(content, prompt)], [reference], options, seed=stage.seed).images
            bar((k + (j + 1) / len(EDITS)) / len(STYLES))
        rows.append(row)
    page = sheet(
        rows,
        ["content", "style", *(words or "no words" for words in EDITS)],
        list(STYLES),
        cell_px=160,
        title="Repainted, with words in control",
    )
    return page, None
