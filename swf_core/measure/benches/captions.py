"""`bench captions`: what the embedded captioner writes of unseen pictures, what stripping leaves, and the gap."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from torch import Tensor

from ...pictures import sheet
from ...words.caption import CaptionOptions, CaptionResult, caption_pictures, load_captioner
from ...words.clip import load_clip
from ...words.gap import semantic_gap
from ...words.strip import OFFLINE, Stripped, strip_all
from ...world import OBJECTS, STYLE_WORDS, STYLES, Look, Scene, caption, random_look, random_scene
from ...world.captions import MEDIA
from ...world.seeds import TEST_SEED
from ..metrics.fidelity import share
from ..metrics.pairs import picture
from .context import BenchContext, BenchResult

Factors = Sequence[tuple[Scene, Look]]


def run(context: BenchContext) -> BenchResult:
    """Caption 200 pictures, all styles in turn; the page has one of each style."""
    count = context.share_of(200)
    seeds = [TEST_SEED + 80_000 + 1000 * context.seed + i for i in range(count)]
    factors = [(random_scene(s), random_look(STYLES[i % len(STYLES)], s)) for i, s in enumerate(seeds)]
    pictures = [picture(*pair) for pair in factors]
    clip = load_clip("mini")
    began = time.perf_counter()
    captioner, options = load_captioner("mini"), CaptionOptions(keep=100)
    captioned = caption_pictures(captioner, pictures, options, clip, context.seed, context.bar)
    seconds = time.perf_counter() - began
    report: dict[str, Any] = {"count": count, "seconds_a_picture": round(seconds / count, 3)}
    captions = [c.caption for c in captioned]
    report |= caption_scores(captioned, factors)
    stripped = strip_all(captions, media=captioner.media)
    report |= strip_scores(stripped)
    report["stripped nearer the photo's caption than the full one"] = share(_nearer_the_photo(factors, clip))
    report["gap"] = _mean_gap(stripped, pictures, clip)
    page = sheet([[p] for p in pictures[: len(STYLES)]], [], captions[: len(STYLES)], cell_px=96)
    return report, {"": page}


def caption_scores(captioned: Sequence[CaptionResult], factors: Factors) -> dict[str, Any]:
    """Shares of captions that name the object and the medium, of those ranked first and of the beam's."""
    report: dict[str, Any] = {}
    ranked = [c.caption for c in captioned]
    beams = [next(each.text for each in c.candidates if each.method == "beam") for c in captioned]
    for name, texts in (("ranked", ranked), ("beam", beams)):
        objects = [scene.main.kind in text.split() for text, (scene, _) in zip(texts, factors)]
        media = [names_medium(text, look.style) for text, (_, look) in zip(texts, factors)]
        report[name] = {"object": share(objects), "medium": share(media)}
    report["medium_by_style"] = {
        style: share([names_medium(text, style) for text, (_, look) in zip(ranked, factors) if look.style == style])
        for style in STYLES
    }
    return report


def names_medium(text: str, style: str) -> bool:
    """Whether a caption names the style, in any of its phrasings (their articles aside)."""
    return any(words.removeprefix("a ").removeprefix("an ") in text for words in STYLE_WORDS[style])


def strip_scores(stripped: Sequence[Stripped]) -> dict[str, Any]:
    """Shares of captions without a medium's words and with their object after stripping."""
    media = {w for options in STYLE_WORDS.values() for words in options for w in (words, words.split(" ", 1)[-1])}
    without_medium = [not any(f" {m} " in f" {s.stripped} " for m in media) for s in stripped]
    with_object = [s for s in stripped if any(o in s.caption.split() for o in OBJECTS)]
    same_object = [all(o in s.stripped.split() for o in OBJECTS if o in s.caption.split()) for s in with_object]
    return {
        "no medium word after stripping": share(without_medium),
        "object kept by stripping": share(same_object),
        "method": OFFLINE,
    }


def _nearer_the_photo(factors: Factors, clip: Any) -> list[bool]:
    """For CLIP, per painted picture: is the stripped true caption nearer a photo's caption than the full one is?"""
    nearer = []
    for scene, look in factors:
        if look.style != "photo":
            full = caption(scene, look)
            texts = [caption(scene, random_look("photo", scene.seed)), strip_all([full], media=MEDIA)[0].stripped, full]
            photo, without_style, with_style = clip.texts(texts)
            nearer.append(bool(photo @ without_style > photo @ with_style))
    return nearer


def _mean_gap(stripped: Sequence[Stripped], pictures: Sequence[Tensor], clip: Any) -> dict[str, Any]:
    gaps = semantic_gap(clip, stripped, pictures)
    return {
        "text": round(sum(g.text for g in gaps) / len(gaps), 3),
        "picture": round(sum(g.picture or 0.0 for g in gaps) / len(gaps), 3),
        "control_text": round(sum(g.control_text for g in gaps) / len(gaps), 3),
        "control_picture": round(sum(g.control_picture or 0.0 for g in gaps) / len(gaps), 3),
        "readings": {r: sum(g.interpretation == r for g in gaps) for r in sorted({g.interpretation for g in gaps})},
    }
