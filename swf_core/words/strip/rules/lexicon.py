"""The words of the offline method: which English words and phrases say how a picture is made, by class.

The words themselves lie in `lists/`. `look_up` gives a word's tags, `PHRASES` holds what is longer.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from pathlib import Path

from .tags import ABOUT, ADJ, ARTIST, DET, FUNC, MOVE, NUMBER, QUALITY, STYLE, THING, Tag

LISTS = Path(__file__).parent / "lists"


def read_list(name: str, folder: Path = LISTS) -> dict[str, list[str]]:
    """The sections of a file in `lists/`: entries parted by commas, over as many lines as they need; # is a remark."""
    sections: dict[str, str] = {}
    section = ""
    for line in (folder / f"{name}.txt").read_text(encoding="utf-8").splitlines():
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


# A phrase in its words, and what it is.
Phrase = tuple[tuple[str, ...], Tag]


def _read() -> tuple[dict[str, Tag], dict[tuple[str, ...], list[Phrase]]]:
    """Words by themselves, and phrases by their first two words, longest first."""
    words: dict[str, Tag] = {}
    phrases: dict[tuple[str, ...], dict[tuple[str, ...], Tag]] = {}

    def put(entry: str, tag: Tag) -> None:
        parts = tuple(plain(entry).split())
        if len(parts) == 1:
            words[parts[0]] = Tag(words.get(parts[0], 0) | tag)
        elif parts:
            known = phrases.setdefault(parts[:2], {})
            known[parts] = Tag(known.get(parts, 0) | tag)

    for name, entries in read_list("english").items():
        for entry in entries:
            put(entry, Tag[name.upper()])
    for entries in read_list("artists").values():
        for entry in entries:
            put(entry, ARTIST)
    for number in "one two three four five six seven eight nine ten eleven twelve hundred dozen".split():
        put(number, NUMBER)
    # A phrase that names a thing is one, whatever else it may be.
    ordered = {
        start: sorted(((parts, THING if tags & THING else tags) for parts, tags in known.items()), key=_longest_first)
        for start, known in phrases.items()
    }
    return words, ordered


def _longest_first(phrase: Phrase) -> int:
    return -len(phrase[0])


WORDS, PHRASES = _read()
# "Turner" by itself is a word of the scene, "Turner-like" is not.
_SURNAMES = frozenset(plain(entry.split()[-1]) for entries in read_list("artists").values() for entry in entries)
_SETS = {name: frozenset(entries) for name, entries in read_list("sets").items()}


def word_set(name: str) -> frozenset[str]:
    """A set of words that a rule asks for, from `lists/sets.txt`."""
    return _SETS[name]


_APERTURE = re.compile(r"f/?\d+(\.\d+)?|iso\d+|\d/\d+s|score_\d\w*|source_\w+|rating_\w+")
_SUFFIXES = ("-style", "-styled", "-inspired", "-like", "-esque", "-toned", "-core")


@lru_cache(maxsize=50_000)
def look_up(word: str) -> tuple[str, Tag]:
    """A word of a caption in its plain form, and its tags; none for a word that says nothing of style."""
    low = plain(word)
    tags = WORDS.get(low)
    if tags is None and low.endswith("s"):
        tags = _of_plural(low)
    if tags is None and "-" in low:
        tags = _of_hyphenated(low, word[:1].isupper())
    if tags is None and low.endswith("esque") and len(low) > 8:  # "Hopperesque"
        tags = Tag(MOVE)
    if tags is None and _APERTURE.fullmatch(low):
        tags = QUALITY
    if tags is None and low[:1].isdigit():
        tags = QUALITY if _measure(low) else NUMBER
    return low, tags or Tag(0)


def _of_plural(low: str) -> Tag | None:
    """The tags of the singular, if it is more than a little word."""
    singular = WORDS.get(low[:-1], 0) & ~(DET | FUNC | ADJ | NUMBER | ABOUT)
    return Tag(singular) if singular else WORDS.get(low[:-2])


def _of_hyphenated(low: str, capital: bool) -> Tag | None:
    """Tags of "manga-style" and its like, or of the phrase that is written with blanks elsewhere."""
    parts = low.split("-")
    if low.endswith(("-color", "-colored", "-tone", "-plate", "-block")):
        return ADJ
    if capital and low.endswith(_SUFFIXES) and parts[-2] in _SURNAMES:
        return MOVE
    if low.endswith(_SUFFIXES) and (len(parts) > 2 or WORDS.get(parts[0], 0) & STYLE or parts[-1] != "like"):
        return MOVE
    spaced = tuple(parts)
    return next((tags for other, tags in PHRASES.get(spaced[:2], ()) if other == spaced), None)


def _measure(low: str) -> bool:
    """Whether a word that begins with a digit is a lens, a resolution, an aspect or the like."""
    unit = low.lstrip("0123456789.,:x/-")
    return unit in ("mm", "k", "p", "mp", "fps", "dpi", "bit", "iso", "megapixel") or (unit == "" and ":" in low)
