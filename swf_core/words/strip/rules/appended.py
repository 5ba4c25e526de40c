"""A medium set behind a caption without a comma, as captioners and shops do: "a man in the snow watercolor"."""

from __future__ import annotations

from .authors import MAKERS
from .lexicon import word_set
from .prepositions import making
from .tagged_caption import TaggedCaption
from .tags import (
    ADJ,
    ARTIST,
    COLOR,
    DET,
    FUNC,
    MADE,
    MATERIAL,
    MEDIUM,
    MOOD,
    MOVE,
    NUMBER,
    OBJECT,
    QUALITY,
    SHOWS,
    STYLE,
    TECH,
    THING,
    VIEW,
    WEAK,
)

ENDINGS, GOODS, MASSES, STYLED = map(word_set, ("endings", "goods", "masses", "styled"))
# Of what stands behind these, the place is shown; "in front of a mural painting" is a thing.
_PLACES = frozenset("in on under over through across inside".split())
# What somebody does may end a caption too: "a woman in the garden painting".
_VERBS = frozenset("painting drawing etching engraving rendering sketch still shot".split())
_LOOKING = frozenset("looking holding hanging showing selling carrying taking making admiring watching".split())


def appended_medium(c: TaggedCaption) -> None:
    """Delete the end of a segment if it is a picture, or its kind in several words, that nothing in the scene holds."""
    styled = any(c.deleted)
    for first, behind, _ in c.segments:
        _kind_behind_a_thing(c, first, behind, styled)
    alive = [k for k in range(len(c.words)) if not c.deleted[k]]
    if len(c.segments) != 1 or len(alive) < 6 or any(c.deleted) or making(c, 0, alive[-1]):
        return
    last = alive[-1]
    if not c.tags[last] & MEDIUM or c.tags[last] & THING or c.tags[last - 1]:
        return
    acts = [c.words[k] for k in alive[:-1] if c.words[k].endswith("ing") and not c.tags[k]]
    placed = next((k for k in (last - 3, last - 2) if c.words[k] in _PLACES), None)
    in_a_place = placed is not None and (last - placed == 2 or c.tags[placed + 1] & DET)
    if in_a_place and c.words[last] not in _VERBS and not _LOOKING & set(acts):
        c.delete(last, last + 1)


def _kind_behind_a_thing(c: TaggedCaption, first: int, behind: int, styled: bool) -> None:
    """Delete "oil painting" of "sunflowers in a vase oil painting", "Linocut Print" of "Moon and Moth Linocut Print".

    `styled`: whether anything of style was found before, so that one word such as "print" is enough.
    """
    tail = behind  # "painting on canvas", of which the end is gone
    while behind > first and c.deleted[behind - 1]:
        behind -= 1
    start = behind
    while start > first and not c.deleted[start - 1] and _of_the_kind(c, start - 1):
        start -= 1
    while start < behind and c.tags[start] & (VIEW | WEAK) and not c.tags[start] & (MEDIUM | MOVE) and _named(c, start):
        start += 1  # "a view of a city street photo": the street is shown
    if start in (first, behind) or not _picture(c, behind - 1) or making(c, first, start):
        return
    before = start - 1
    if c.words[before] in MAKERS:
        return  # "a painter painting"
    hue = c.tags[before] & COLOR and not c.text[: c.ends[before]].endswith("s")  # "roses" are none
    if hue or c.deleted[before] or c.tags[before] & (DET | FUNC | SHOWS | MADE | NUMBER | THING | ADJ | STYLE):
        return
    word = c.words[before]
    if word.endswith(("ing", "'s")) or word in _LOOKING:
        return
    last = c.words[behind - 1]
    sure = (
        tail > behind
        and c.tags[behind - 1] & MEDIUM
        or behind - start > 1
        or " " in last
        or last in ENDINGS
        or (_title(c, first, behind) and last in GOODS)
    )
    if first > 0 and before == first and (sure or last in GOODS) and not c.tags[first] & NUMBER and styled:
        start = first  # a tag of its own: "nursery wall art"
    if sure or (styled and last in GOODS - _VERBS):
        c.delete(start, behind)


def _named(c: TaggedCaption, k: int) -> bool:
    """Whether a word that may be of style belongs to the noun phrase before it: "a city street"."""
    return c.words[k] in MASSES


def _of_the_kind(c: TaggedCaption, k: int) -> bool:
    tags = c.tags[k]
    if tags & THING or tags & (DET | FUNC):
        return False
    if c.words[k] in STYLED and k and c.tags[k - 1] & (MEDIUM | MOVE | WEAK | ARTIST):
        return True
    return bool(tags & (MEDIUM | MOVE | WEAK | QUALITY | TECH | OBJECT) or c.words[k] in ENDINGS | GOODS) or bool(
        tags & (MATERIAL | MOOD) and not tags & ARTIST and k + 1 < len(c.words) and c.tags[k + 1] & (MEDIUM | OBJECT)
    )


def _picture(c: TaggedCaption, k: int) -> bool:
    """Whether a unit is one picture, not several, which would be things that somebody has."""
    word, written = c.words[k], c.text[c.starts[k] : c.ends[k]].lower()
    if word in ENDINGS | GOODS or word in STYLED:
        return True
    if c.tags[k] & QUALITY:
        return " " in word or word[:1].isdigit()
    one = not written.endswith("s") or word.endswith("s")
    return bool(c.tags[k] & (MEDIUM | OBJECT)) and one and word.split()[-1] not in MASSES


def _title(c: TaggedCaption, first: int, behind: int) -> bool:
    """Whether a segment is written as a title is: each word but the little ones with a capital."""
    return behind - first > 2 and all(c.capital(k) or c.tags[k] & (FUNC | DET) for k in range(first, behind))
