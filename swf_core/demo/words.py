"""The demo's captions: pictures captioned, captions stripped, the semantic gap measured, on the embedded models."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from ..measure.metrics.pairs import picture
from ..pictures import to_image
from ..words.caption import CaptionOptions, caption_pictures, load_captioner
from ..words.clip import load_clip
from ..words.gap import Gap, semantic_gap
from ..words.strip import Stripped, strip_all
from ..world import random_look, random_scene
from ..world.seeds import TEST_SEED
from .stage import Result, Stage

STYLES = ("stained glass", "woodcut", "pencil", "cross-stitch")


def run(stage: Stage) -> Result:
    """A page of pictures with their captions, struck through where style was, and what it says as data."""
    seed = stage.seed
    pictures = [
        picture(random_scene(TEST_SEED + 700 + 10 * seed + k), random_look(style, TEST_SEED + 700 + k, "natural"))
        for k, style in enumerate(STYLES)
    ]
    clip, options = load_clip("mini"), CaptionOptions(samples=4)
    captioner = load_captioner("mini")
    captioned = caption_pictures(captioner, pictures, options, clip, seed, stage.bars("words"))
    stripped = strip_all([c.caption for c in captioned], media=captioner.media)
    gaps = semantic_gap(clip, stripped, pictures, seed=seed)
    report = [
        {
            "style": style,
            "caption": s.caption,
            "stripped": s.stripped,
            "removed": list(s.removed),
            "gap": round(g.text, 3),
            "reading": g.interpretation,
        }
        for style, s, g in zip(STYLES, stripped, gaps)
    ]
    return _page(pictures, stripped, gaps), report


def _page(
    pictures: Sequence[Tensor], stripped: Sequence[Stripped], gaps: Sequence[Gap], cell_px: int = 112
) -> Image.Image:
    """A row a picture: the picture, its caption with the removed words struck through, the gap."""
    font, space = ImageFont.load_default(15), 8
    page = Image.new("RGB", (1020, 30 + (cell_px + space) * len(pictures)), "white")
    draw = ImageDraw.Draw(page)
    draw.text((space, 6), "What a picture shows, without how it is made", "black", ImageFont.load_default(17))
    left = cell_px + 3 * space
    for row, (pixels, caption, gap) in enumerate(zip(pictures, stripped, gaps)):
        top = 30 + row * (cell_px + space)
        page.paste(to_image(pixels).resize((cell_px, cell_px)), (space, top))
        x = float(left)
        for start, end, removed in _runs(caption):
            text = caption.caption[start:end]
            width = draw.textlength(text, font)
            draw.text((x, top + 24), text, "#a33" if removed else "black", font)
            if removed:
                draw.line((x, top + 34, x + width, top + 34), "#a33", 1)
            x += width
        draw.text((left, top + 58), f"semantic gap {gap.text:.2f}: {gap.interpretation}", "#555", font)
    return page


def _runs(stripped: Stripped) -> list[tuple[int, int, bool]]:
    """A caption as runs (start, end, removed)."""
    runs, position = [], 0
    for start, end in stripped.spans:
        runs += [(position, start, False), (start, end, True)]
        position = end
    return [*runs, (position, len(stripped.caption), False)]
