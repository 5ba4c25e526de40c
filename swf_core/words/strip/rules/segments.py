"""Whole segments that speak of style alone: "oil on canvas", "8k", "soft pastel colors"."""

from __future__ import annotations

from typing import NamedTuple

from .clauses import of_a_thing
from .kinds_of_tag import (
    before_a_colon,
    below_a_title,
    by_a_name,
    goods,
    kind_first,
    lesson,
    made_first,
    size,
    work_below_a_title,
)
from .lexicon import word_set
from .tagged_caption import TaggedCaption
from .tags import (
    ABOUT,
    ADJ,
    ANCHOR,
    COLOR,
    DET,
    FILLING,
    FUNC,
    MADE,
    MATERIAL,
    MEDIUM,
    MOOD,
    MOVE,
    NOUN,
    NUMBER,
    OBJECT,
    SHOWS,
    STYLE,
    TECH,
    THING,
    VIEW,
    WEAK,
)

HEADS, ADJECTIVE_HEADS, GENERIC, ALONE, PERIODS = map(
    word_set, ("heads", "adjective heads", "generic", "alone", "periods")
)
MARKS = frozenset("line lines dots drips splashes".split())
LONE, KEEPSAKES = map(word_set, ("lone adjectives", "keepsakes"))
# What an adjective that no list has ends with, unlike most nouns: "autumnal light", but "traffic light".
ADJECTIVAL = ("ic", "ish", "ous", "esque", "ian", "ist", "ful", "ary", "ed", "nal", "less")
PARTICIPLES = frozenset(
    "inked etched engraved hand-painted hand-stitched hand-embroidered hand-woven hand-carved sketched".split()
)
# These also stand in a scene: "street", said of a photo and of a place.
SCENERY = frozenset("night street food action".split())


class _Counts(NamedTuple):
    """How many units of a segment are of which kind; a pair such as "ink and wash" is two materials."""

    anchors: int
    moods: int
    materials: int
    unknown: int


def style_segments(c: TaggedCaption) -> None:
    """Delete segments that speak of style alone."""
    for first, behind, _ in c.segments:
        if _only_style(c, first, behind):
            c.delete(first, behind)


def _only_style(c: TaggedCaption, first: int, behind: int) -> bool:
    """Whether a segment speaks of style alone, such as "loose ink drawing", "8k", "soft pastel colors"."""
    counts = _count(c, first, behind)
    if counts is None or _listed(c, first, behind):
        return False
    if c.words[behind - 1] in MARKS and any(c.tags[k] & (COLOR | NUMBER) for k in _with(c, first, behind)):
        return False  # "an abstract painting with red and black lines"
    if behind - first == 2 and c.tags[first + 1] & MATERIAL and c.words[first] in ("a", "an"):
        return False  # "a brush"
    words = behind - first
    if words == 1 and c.words[first] in LONE or work_below_a_title(c, first, behind) or lesson(c, first, behind):
        return True
    if (
        kind_first(c, first, behind)
        or made_first(c, first, behind)
        or before_a_colon(c, first, behind)
        or by_a_name(c, first, behind)
        or size(c, first, behind)
        or goods(c, first, behind)
    ):
        return True
    last = behind - 1
    generic = c.words[last] in GENERIC or (c.tags[last] & MEDIUM and behind < len(c.words) and c.tags[behind] & MADE)
    if c.words[first] in ("the", "this") and not counts.unknown and generic and words == 2:
        return False  # "the image", of "the image, ... , has"
    if _kind_of_picture(c, first, behind, counts):
        return True
    if counts.unknown:
        return _with_unknown(c, first, behind, counts)
    if any(c.tags[k] & (TECH | NOUN) and of_a_thing(c, k + 1) for k in range(first, behind - 1)):
        return False  # "an outline of a hand"
    if counts.anchors:
        # A picture noun as the object of a preposition, or a lone "the painting", is no tag.
        object_of = c.tags[first] & FUNC and c.words[first] in ("on", "with", "at", "to", "from")
        return not (object_of and not counts.materials)
    if counts.materials:
        if words == 1 and below_a_title(c, first):
            return True
        return counts.materials >= 2 or c.words[behind - 1] in ALONE or (words > 1 and c.words[first] == "on")
    return counts.moods > 0 or _weak_words(c, first, behind)


def _count(c: TaggedCaption, first: int, behind: int) -> _Counts | None:
    """What a segment is made of; None when one of its words can only be of the scene."""
    anchors, moods, materials, unknown = 0, 0, 0, 0
    for k in range(first, behind):
        tags = c.tags[k]
        if tags & THING:
            return None
        if tags & ANCHOR:
            anchors += 1
        elif tags & MOOD:
            moods += 1
        elif tags & MATERIAL:
            materials += 2 if " on " in c.words[k] or " and " in c.words[k] else 1
        elif tags & ABOUT and "of" in c.words[first:k]:
            return None  # "a painting of a painter painting"
        elif tags & (FILLING | ABOUT | WEAK | MADE | NUMBER):
            pass
        elif tags & (SHOWS | VIEW):
            return None
        else:
            unknown += 1
    return _Counts(anchors, moods, materials, unknown)


def _with(c: TaggedCaption, first: int, behind: int) -> range:
    """The units behind "with"."""
    return range(next((k for k in range(first, behind) if c.words[k] == "with"), behind), behind)


def _with_unknown(c: TaggedCaption, first: int, behind: int, counts: _Counts) -> bool:
    """Whether a segment with words that are in no list is of style all the same: "Secessionist style"."""
    head = _head(c, first, behind)
    strong = c.words[head] in HEADS or c.tags[head] & TECH or _adjective_head(c, first, head)
    surface = counts.materials >= 1 and c.tags[behind - 1] & MATERIAL and "on" in c.words[first:behind]
    surface = surface and (counts.anchors + counts.materials) >= 2
    few = counts.unknown <= 2 and counts.unknown < behind - first
    behind_head = range(head + 1, behind)
    if any(c.tags[k] & (DET | NUMBER) for k in behind_head) and any(not c.tags[k] for k in behind_head):
        return False  # "sharp focus on a dragonfly"
    before_in = any(not c.tags[k] and c.words[k + 1] in ("in", "with", "by", "for") for k in range(first, behind - 1))
    if before_in and not strong:
        return False  # "two cats in oil on canvas" shows two cats
    action = any(c.words[k].endswith("ing") and not c.tags[k] for k in range(first, behind))
    return bool((strong or surface or counts.materials >= 2) and few and not action and not c.tags[first] & DET)


def _kind_of_picture(c: TaggedCaption, first: int, behind: int, counts: _Counts) -> bool:
    """Whether a segment without an article names a kind of picture: "art deco poster", "flat lay photography"."""
    last, words = c.tags[behind - 1], behind - first
    little = any(c.tags[k] & (DET | FUNC | SHOWS) for k in range(first, behind))
    if (
        little
        or counts.unknown > 2
        or not 1 < words < 6
        or any(c.words[k].endswith("ing") for k in range(first, behind))
    ):
        return False
    if last & OBJECT:
        return counts.unknown < 3 and any(c.tags[k] & (MOVE | WEAK) for k in range(first, behind - 1))
    return c.words[behind - 1].split()[-1] in ("photo", "photograph", "photography") or (
        c.words[behind - 1].split()[-1] in ("art", "artwork", "illustration") and counts.anchors > 1
    )


def _adjective_head(c: TaggedCaption, first: int, head: int) -> bool:
    """Whether a word such as "light" or "school" ends words of style: "autumnal light", "Novgorod School"."""
    if c.words[head] not in ADJECTIVE_HEADS:
        return False
    before = [k for k in range(first, head) if not c.tags[k]]
    if c.words[head] in ("school", "workshop", "manufactory", "atelier"):
        return any(c.capital(k) for k in before) and any(c.deleted)
    return all(c.words[k].endswith(ADJECTIVAL) for k in before)


def _listed(c: TaggedCaption, first: int, behind: int) -> bool:
    """Whether a picture is one of several things that are named one by one: "a ruler, a blueprint".

    Things are an article and one or two words. Behind two of them any picture is one more; behind one of them only what
    lies about in rooms is: a photograph, a map; "a red house, a watercolor" names the medium.
    """
    if not _thing(c, first, behind, MEDIUM | OBJECT):
        return False
    things, at = 0, next(n for n, segment in enumerate(c.segments) if segment[0] == first)
    for a, b, _ in reversed(c.segments[:at]):
        if not _thing(c, a, b):
            break
        things += 1
    whole = things == at
    return things > 1 or (things == 1 and whole and c.words[behind - 1].split()[-1] in KEEPSAKES)


def _thing(c: TaggedCaption, first: int, behind: int, head: int = 0) -> bool:
    """Whether a segment is "a lamp", "two old books"; with `head`, whether its last word may be a picture."""
    indefinite = c.words[first] in ("a", "an", "one", "some") or c.tags[first] & NUMBER
    if not indefinite or not 2 <= behind - first <= 4 or c.given[behind - 1]:
        return False
    middle = range(first + 1, behind - 1)
    plain = all(not c.tags[k] & ~(ADJ | COLOR | THING) and not c.words[k].endswith("ing") for k in middle)
    last = c.tags[behind - 1]
    if head:
        return plain and bool(last & head)
    return plain and bool(last & (THING | MATERIAL) and not last & MEDIUM or not last & (STYLE | FUNC | SHOWS | VIEW))


def _weak_words(c: TaggedCaption, first: int, behind: int) -> bool:
    """Whether words that describe things too are said of the picture here: "neoclassical", "inked ..."."""
    words = behind - first
    if words > 1 and all(c.tags[k] & (WEAK | DET | ADJ) for k in range(first, behind)):
        return any(c.words[k] in PERIODS for k in range(first, behind))
    if c.words[first] in PARTICIPLES:
        return True
    return words == 1 and bool(c.tags[first] & WEAK and c.words[first] not in SCENERY)


def _head(c: TaggedCaption, first: int, behind: int) -> int:
    """The last unit before a preposition: what a segment is about."""
    for k in range(first + 1, behind):
        if c.words[k] in ("of", "on", "in", "with", "by", "for"):
            return k - 1
    return behind - 1
