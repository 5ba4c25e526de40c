"""Captions from the factors: full, style-stripped, style only, each in several phrasings.

The stripped caption says everything about the content and nothing about how the picture is made; the difference
between the two is the semantic gap of arXiv 2506.15033, here known exactly.
"""

from __future__ import annotations

import numpy as np

from .look import Look
from .palette import PALETTES
from .scene import COLORS, OBJECTS, Scene, Thing

STYLE_WORDS: dict[str, tuple[str, ...]] = {
    "photo": ("a photo", "a photograph"),
    "oil": ("an oil painting", "a painting in oil"),
    "watercolour": ("a watercolour", "a watercolour painting"),
    "ink": ("an ink wash painting", "a painting in ink"),
    "strokes": ("a swirling brush painting", "a painting in swirling strokes"),
    "pencil": ("a pencil drawing", "a hatched pencil drawing"),
    "woodcut": ("a woodcut", "a woodcut print"),
    "mosaic": ("a mosaic", "a tile mosaic"),
    "stained glass": ("a stained glass window", "stained glass"),
    "pointillism": ("a pointillist painting", "a painting in dots"),
    "halftone": ("a halftone print", "a halftone"),
    "comic": ("a comic drawing", "a comic"),
    "charcoal": ("a charcoal drawing", "a drawing in charcoal"),
    "pastel": ("a pastel drawing", "a drawing in pastel"),
    "pixel": ("pixel art", "a pixel picture"),
    "papercut": ("a papercut", "a cut paper picture"),
    "neon": ("a neon sign", "neon light art"),
    "blueprint": ("a blueprint", "a blueprint drawing"),
    "cross-stitch": ("a cross stitch", "an embroidery"),
}
# Every phrase that names a medium here; elsewhere some of them are things, such as a neon sign over a bar.
MEDIA = tuple(phrase for phrases in STYLE_WORDS.values() for phrase in phrases)
# The phrases of each medium, without their articles.
SYNONYMS = tuple(
    tuple(phrase.removeprefix("a ").removeprefix("an ") for phrase in phrases) for phrases in STYLE_WORDS.values()
)
GROUND_WORDS = {
    "grass": ("on the grass", "in a green meadow"),
    "sand": ("on the sand", "on a sandy beach"),
    "snow": ("in the snow", "on a snowy field"),
    "sea": ("by the sea", "on the water"),
}
TIME_WORDS = {
    "noon": ("at noon", "on a sunny day"),
    "sunset": ("at sunset", "in the evening"),
    "night": ("at night", "under the moon"),
}
KINDS = ("full", "stripped", "style")


def caption(scene: Scene, look: Look, kind: str = "full", rng: np.random.Generator | None = None) -> str:
    """Describe a picture. Without `rng` the first phrasing of everything, and nothing left out.

    `kind`: "full" names content and style, "stripped" the content alone, "style" the style alone.
    """
    if kind not in KINDS:
        raise ValueError(f"Caption kind {kind!r} is unknown; choose one of {', '.join(KINDS)}.")
    style = _pick(rng, STYLE_WORDS[look.style])
    palette = PALETTES[look.palette.name][1]
    if kind == "style":
        return f"{style} {palette}".strip()
    content = describe(scene, rng)
    if kind == "stripped":
        return content
    colored = f"{content} {palette}" if palette else content
    if rng is None or rng.random() < 0.7:
        return f"{style} of {colored}"
    return f"{colored}, {style}"


def describe(scene: Scene, rng: np.random.Generator | None = None) -> str:
    """The content in words: main object, ground, time, second object."""
    words = [_thing(scene.main)]
    ground, time = _pick(rng, GROUND_WORDS[scene.ground]), _pick(rng, TIME_WORDS[scene.time])
    second = f"{_pick(rng, ('with', 'and'))} {_thing(scene.second)}" if scene.second else ""
    # People leave things out; a caption that is silent on the ground or the hour still belongs to the picture.
    parts = [w for w in (ground, time) if w and (rng is None or rng.random() > 0.08)]
    if second:
        parts.insert(len(parts) if rng is None or rng.random() < 0.5 else 0, second)
    return " ".join(words + parts)


def _thing(thing: Thing) -> str:
    return f"a {thing.color} {thing.kind}"


def _pick(rng: np.random.Generator | None, options: tuple[str, ...]) -> str:
    return options[0] if rng is None else options[int(rng.integers(len(options)))]


def vocabulary() -> list[str]:
    """Every word a caption can hold, sorted: the embedded text encoder's dictionary."""
    phrases = [p for group in (STYLE_WORDS, GROUND_WORDS, TIME_WORDS) for options in group.values() for p in options]
    phrases += [words for _, words in PALETTES.values()]
    words = {w for phrase in phrases for w in phrase.split()} | set(COLORS) | set(OBJECTS)
    return sorted(words | {"a", "an", "and", "of", "with", ",", "the", "in", "on", "at", "by"})
