"""The words of the offline method: which English words and phrases say how a picture is made, by class.

The words themselves lie in `lists/`. `look_up` gives a word's class as bits, `PHRASES` holds what is longer.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from pathlib import Path

# Little words: they belong to whatever stands around them.
DET, FUNC, ADJ, COLOR, NUMBER = 1, 2, 4, 8, 16
# Words for how a picture is made. MEDIUM: nouns for a picture; MATERIAL: what it is made with, which may also lie on a
# desk; MOVE: movements and techniques that describe nothing else; WEAK: words that describe buildings and people too;
# TECH, QUALITY: phrases of technique, of quality and camera; MOOD: moods and palettes; NOUN: style, palette, mood, ...
MEDIUM, MATERIAL, MOVE, WEAK, TECH, QUALITY, MOOD, NOUN, ARTIST = (1 << k for k in range(5, 14))
# What looks like style and is a thing; verbs by which a picture shows something; views, which are content.
THING, SHOWS, VIEW, MADE = (1 << k for k in range(14, 18))
# "black and white": of a cat, or of a photo.
BOTH = 1 << 18
# Words of sentences about a picture: no style by themselves, and nothing of the scene.
ABOUT = 1 << 19
# Things made by hand that are the picture itself or stand in it: a statue, a poster.
OBJECT = 1 << 20
FILLING = DET | FUNC | ADJ | COLOR
STYLE = MEDIUM | MATERIAL | MOVE | WEAK | TECH | QUALITY | MOOD | NOUN | ARTIST


def read_list(name: str) -> dict[str, list[str]]:
    """The sections of a file in `lists/`: entries parted by commas, over as many lines as they need; # is a remark."""
    sections: dict[str, str] = {}
    section = ""
    for line in (Path(__file__).parent / "lists" / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif not line.startswith("#"):
            sections[section] = f"{sections.get(section, '')} {line}"
    return {
        name: [entry.strip() for entry in entries.split(",") if entry.strip()]
        for name, entries in sections.items()
        if name
    }


def plain(word: str) -> str:
    """A word as the lists have it: lower case, no accents, American spelling."""
    text = unicodedata.normalize("NFKD", word.replace("\u2019", "'").lower())
    text = "".join(c for c in text if not unicodedata.combining(c))
    return text.replace("colour", "color").replace("grey", "gray")


def _read() -> tuple[dict[str, int], dict[tuple[str, ...], list[tuple[tuple[str, ...], int]]]]:
    words: dict[str, int] = {}
    phrases: dict[tuple[str, ...], dict[tuple[str, ...], int]] = {}

    def put(entry: str, bits: int) -> None:
        parts = tuple(plain(entry).split())
        if len(parts) == 1:
            words[parts[0]] = words.get(parts[0], 0) | bits
        elif parts:
            known = phrases.setdefault(parts[:2], {})
            known[parts] = known.get(parts, 0) | bits

    for name, entries in read_list("english").items():
        for entry in entries:
            put(entry, globals()[name.upper()])
    for entries in read_list("artists").values():
        for entry in entries:
            put(entry, ARTIST)
    for number in "one two three four five six seven eight nine ten eleven twelve hundred dozen".split():
        put(number, NUMBER)
    # By their first two words, longest first; a phrase that names a thing is one, whatever else it may be.
    ordered = {
        start: sorted(
            ((parts, THING if bits & THING else bits) for parts, bits in known.items()), key=lambda p: -len(p[0])
        )
        for start, known in phrases.items()
    }
    return words, ordered


WORDS, PHRASES = _read()
_SETS = {name: frozenset(entries) for name, entries in read_list("sets").items()}


def word_set(name: str) -> frozenset[str]:
    """A set of words that a rule asks for, from `lists/sets.txt`."""
    return _SETS[name]


_APERTURE = re.compile(r"f/?\d+(\.\d+)?|iso\d+|\d/\d+s|score_\d\w*|source_\w+|rating_\w+")
_SUFFIXES = ("-style", "-styled", "-inspired", "-like", "-esque", "-toned", "-core")


@lru_cache(maxsize=50_000)
def look_up(word: str) -> tuple[str, int]:
    """A word of a caption in its plain form, and its class in bits; 0 for a word that says nothing of style."""
    low = plain(word)
    found = WORDS.get(low)
    if found is None and low.endswith("s"):
        found = WORDS.get(low[:-1], 0) & ~(DET | FUNC | ADJ | NUMBER | ABOUT) or WORDS.get(low[:-2])
    if found is None and "-" in low:
        parts = low.split("-")
        if low.endswith(_SUFFIXES) and (len(parts) > 2 or WORDS.get(parts[0], 0) & STYLE or parts[-1] != "like"):
            found = MOVE
        else:
            spaced = tuple(parts)
            found = next((bits for other, bits in PHRASES.get(spaced[:2], ()) if other == spaced), None)
    if found is None and _APERTURE.fullmatch(low):
        found = QUALITY
    if found is None and low[:1].isdigit():
        found = QUALITY if _measure(low) else NUMBER
    return low, found or 0


def _measure(low: str) -> bool:
    """Whether a word that begins with a digit is a lens, a resolution, an aspect or the like."""
    unit = low.lstrip("0123456789.,:x/")
    return unit in ("mm", "k", "p", "mp", "fps", "dpi", "bit", "iso", "megapixel") or (unit == "" and ":" in low)
