"""The demo's text to image: four contents in four styles, from words alone."""

from __future__ import annotations

from torch import Tensor

from ..pictures import sheet
from ..transfer import SampleOptions, sample
from ..world import STYLE_WORDS
from .stage import Result, Stage

STYLES = ("oil", "stained glass", "woodcut", "papercut")
CONTENTS = {
    "red house, grass, noon": "a red house on the grass at noon",
    "yellow boat, sea, sunset": "a yellow boat by the sea at sunset",
    "blue teapot, sand, noon": "a blue teapot on the sand at noon",
    "white lighthouse, snow, night": "a white lighthouse in the snow at night",
}


def run(stage: Stage) -> Result:
    """A page with a row a style; nothing to report."""
    bar = stage.bars("text to image")
    rows: list[list[Tensor]] = []
    for k, style in enumerate(STYLES):
        prompts = [f"{STYLE_WORDS[style][0]} of {content}" for content in CONTENTS.values()]
        rows.append(sample(stage.backend, prompts, SampleOptions(steps=20, cfg=3.0), seed=stage.seed + k).images)
        bar((k + 1) / len(STYLES))
    return sheet(rows, list(CONTENTS), list(STYLES), cell_px=160, title="From words alone"), None
