"""`bench captions`: what the embedded captioner says of pictures it never saw, what stripping leaves, and the gap."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from ...pictures import sheet
from ...words.caption import Captioned, CaptionOptions, caption_pictures, load_captioner
from ...words.clip import load_clip
from ...words.gap import semantic_gap
from ...words.strip import OFFLINE, strip_all
from ...world import OBJECTS, STYLE_WORDS, STYLES, caption, random_look, random_scene
from ...world.seeds import TEST_SEED
from ..metrics.fidelity import share
from ..metrics.pairs import picture


def captions(count: int, seed: int, progress: Callable[..., None]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Caption `count` pictures, all styles in turn; report and page."""
    seeds = [TEST_SEED + 80_000 + 1000 * seed + i for i in range(count)]
    pairs = [(random_scene(s), random_look(STYLES[i % len(STYLES)], s)) for i, s in enumerate(seeds)]
    pictures = [picture(*pair) for pair in pairs]
    clip = load_clip("mini")
    began = time.perf_counter()
    found = caption_pictures(load_captioner("mini"), pictures, CaptionOptions(keep=100), clip, seed, progress)
    seconds = time.perf_counter() - began
    report: dict[str, Any] = {"count": count, "seconds_a_picture": round(seconds / count, 3)}
    beams = [next(c.text for c in f.candidates if c.how == "beam") for f in found]
    for name, texts in (("ranked", [f.caption for f in found]), ("beam", beams)):
        objects = [scene.main.kind in text.split() for text, (scene, _) in zip(texts, pairs)]
        media = [says_medium(text, look.style) for text, (_, look) in zip(texts, pairs)]
        report[name] = {"object": share(objects), "medium": share(media)}
    report["medium_by_style"] = {
        style: share([says_medium(f.caption, style) for f, (_, look) in zip(found, pairs) if look.style == style])
        for style in STYLES
    }
    report |= _stripped(found, pairs, clip, pictures)
    page = sheet([[p] for p in pictures[:19]], [], [f.caption for f in found[:19]], cell_px=96)
    return report, {"": page}


def says_medium(text: str, style: str) -> bool:
    """Whether a caption names the style, in any of its phrasings (their articles aside)."""
    return any(words.removeprefix("a ").removeprefix("an ") in text for words in STYLE_WORDS[style])


def _stripped(found: Sequence[Captioned], pairs: Any, clip: Any, pictures: Any) -> dict[str, Any]:
    media = {w for options in STYLE_WORDS.values() for words in options for w in (words, words.split(" ", 1)[-1])}
    stripped = strip_all([f.caption for f in found])
    clean = [not any(f" {m} " in f" {s.stripped} " for m in media) for s in stripped]
    named = [s for s in stripped if any(o in s.caption.split() for o in OBJECTS)]
    kept = [all(o in s.stripped.split() for o in OBJECTS if o in s.caption.split()) for s in named]
    nearer = []
    for scene, look in pairs:
        if look.style != "photo":
            full = caption(scene, look)
            photo, bare, said = clip.texts(
                [
                    caption(scene, random_look("photo", scene.seed)),
                    strip_all([full])[0].stripped,
                    full,
                ]
            )
            nearer.append(bool(photo @ bare > photo @ said))
    gaps = semantic_gap(clip, stripped, pictures)
    return {
        "no medium word after stripping": share(clean),
        "object kept by stripping": share(kept),
        "method": OFFLINE,
        "stripped nearer the photo's caption than the full one": share(nearer),
        "gap": {
            "text": round(sum(g.text for g in gaps) / len(gaps), 3),
            "picture": round(sum(g.picture or 0.0 for g in gaps) / len(gaps), 3),
            "control_text": round(sum(g.control_text for g in gaps) / len(gaps), 3),
            "control_picture": round(sum(g.control_picture or 0.0 for g in gaps) / len(gaps), 3),
            "readings": {r: sum(g.reading == r for g in gaps) for r in sorted({g.reading for g in gaps})},
        },
    }
