"""The demo's first stage: pictures captioned, captions stripped, the semantic gap measured, on the embedded models."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor

from ..measure.metrics.pairs import picture
from ..world import random_look, random_scene
from ..world.seeds import TEST_SEED

STYLES_SHOWN = ("stained glass", "woodcut", "pencil", "cross-stitch")


def words(seed: int, bar: Callable[..., None]) -> tuple[Any, list[dict[str, Any]]]:
    """A page of pictures with their captions, struck through where style was, and what it says as data."""
    from ..words.caption import CaptionOptions, caption_pictures, load_captioner
    from ..words.clip import load_clip
    from ..words.gap import semantic_gap
    from ..words.strip import strip_all

    pictures = [
        picture(random_scene(TEST_SEED + 700 + 10 * seed + k), random_look(style, TEST_SEED + 700 + k, "natural"))
        for k, style in enumerate(STYLES_SHOWN)
    ]
    clip = load_clip("mini")
    told = caption_pictures(load_captioner("mini"), pictures, CaptionOptions(samples=4), clip, seed, bar)
    stripped = strip_all([t.caption for t in told])
    gaps = semantic_gap(clip, stripped, pictures, seed=seed)
    report = [
        {
            "style": style,
            "caption": s.caption,
            "stripped": s.stripped,
            "removed": list(s.removed),
            "gap": round(g.text, 3),
            "reading": g.reading,
        }
        for style, s, g in zip(STYLES_SHOWN, stripped, gaps)
    ]
    return _page(pictures, stripped, gaps), report


def _page(pictures: Sequence[Tensor], stripped: Sequence[Any], gaps: Sequence[Any], cell_px: int = 112) -> Any:
    """A row a picture: the picture, its caption with the removed words struck through, the gap."""
    from PIL import Image, ImageDraw, ImageFont

    from ..pictures import to_image

    font, gap = ImageFont.load_default(15), 8
    page = Image.new("RGB", (1020, 30 + (cell_px + gap) * len(pictures)), "white")
    draw = ImageDraw.Draw(page)
    draw.text((gap, 6), "What a picture shows, without how it is made", "black", ImageFont.load_default(17))
    for row, (shown, s, measured) in enumerate(zip(pictures, stripped, gaps)):
        top = 30 + row * (cell_px + gap)
        page.paste(to_image(shown).resize((cell_px, cell_px)), (gap, top))
        at = float(cell_px + 3 * gap)
        for start, end, gone in _runs(s):
            text = s.caption[start:end]
            width = draw.textlength(text, font)
            draw.text((at, top + 24), text, "#a33" if gone else "black", font)
            if gone:
                draw.line((at, top + 34, at + width, top + 34), "#a33", 1)
            at += width
        draw.text((cell_px + 3 * gap, top + 58), f"semantic gap {measured.text:.2f}: {measured.reading}", "#555", font)
    return page


def _runs(stripped: Any) -> list[tuple[int, int, bool]]:
    """A caption as runs (start, end, removed)."""
    runs, at = [], 0
    for start, end in stripped.spans:
        runs += [(at, start, False), (start, end, True)]
        at = end
    return [*runs, (at, len(stripped.caption), False)]
