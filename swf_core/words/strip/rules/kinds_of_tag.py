"""Segments that are of style by where they stand: a label's line, the size of a work, "sticker" behind other tags."""

from __future__ import annotations

from .lexicon import word_set
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
    NUMBER,
    OBJECT,
    QUALITY,
    SHOWS,
    STYLE,
    TECH,
    THING,
)

GOODS, DRAWN_WITH = map(word_set, ("goods", "drawn with"))
# What parts one material of a work from another.
JOINED = frozenset("with over on under and from heightened in".split())
WORKED = frozenset(
    "carved cast done drawn embroidered engraved etched executed illustrated modeled painted photographed printed "
    "rendered sculpted shot sketched stitched woven".split()
)
# Printed things that a list of tags begins with, and what pictures are made on and with.
PRINTED = frozenset(
    "album cover,book cover,magazine cover,movie poster,poster,postcard,sticker,greeting card".split(",")
)
GROUNDS = frozenset("burlap canvas film linen marker markers paper vellum".split())
LESSONS = frozenset("class course idea ideas inspiration lesson lessons project reference tutorial workshop".split())


def before_a_colon(c: TaggedCaption, first: int, behind: int) -> bool:
    """Whether a segment says what kind of picture follows its colon: "Archival image: ..."."""
    colon = c.text[c.ends[behind - 1] :].lstrip()[:1] == ":" and behind < len(c.words)
    plain = not any(c.tags[k] & (DET | FUNC & ~ADJ | SHOWS | THING | NUMBER) for k in range(first, behind))
    return colon and plain and behind - first < 4 and bool(c.tags[behind - 1] & MEDIUM)


def made_first(c: TaggedCaption, first: int, behind: int) -> bool:
    """Whether a segment says how a picture is made before it: "painted with a sponge: a blue hippo", or behind a title.

    "painted blue" and "drawn by two horses" are said of things.
    """
    if c.words[first] in ("trending", "featured", "popular") and c.words[first + 1 : first + 2] in (["on"], ["in"]):
        return behind - first < 6  # "trending on cgsociety"
    if c.words[first] not in WORKED or behind - first < 3 or c.words[first + 1] not in ("in", "with", "on", "from"):
        return False
    rest = range(first + 2, behind)
    if any(c.tags[k] & (COLOR | THING | SHOWS | NUMBER) for k in rest) and c.words[first] != "printed":
        return False
    unknown = sum(not c.tags[k] for k in rest)
    begins = first == 0 and behind < len(c.words) and c.tags[behind] & (DET | NUMBER) and not c.capital(first)
    return bool(begins and unknown < 2 or first > 0 and c.words[first] == "printed" and unknown < 2)


def kind_first(c: TaggedCaption, first: int, behind: int) -> bool:
    """Whether a list begins with a kind of picture: "retro 1950s cereal illustration, a family and a robot"."""
    if first or not 1 < behind < len(c.words) or not c.tags[behind] & (DET | NUMBER) or not c.tags[behind - 1] & MEDIUM:
        return False
    before = range(behind - 1)
    little = any(c.tags[k] & (DET | SHOWS | THING | NUMBER | FUNC & ~ADJ) or c.words[k].endswith("ing") for k in before)
    styled = any(c.tags[k] & (STYLE & ~MATERIAL) for k in before)
    return styled and not little and sum(not c.tags[k] for k in before) < 2


def size(c: TaggedCaption, first: int, behind: int) -> bool:
    """Whether a segment is the size of a work: "81 x 65 cm"."""
    last = c.words[behind - 1]
    units = range(first, behind - 1)
    return (
        last in ("cm", "mm", "in", "inches")
        and behind - first > 1
        and all(c.tags[k] & (NUMBER | QUALITY) or c.words[k] in ("x", "by", "×") for k in units)
    )


def goods(c: TaggedCaption, first: int, behind: int) -> bool:
    """Whether a tag behind style is a picture or paper by itself: "sticker", "xuan paper"."""
    word, tags = c.words[first], c.tags[first]
    drawn = c.words[behind - 1] in DRAWN_WITH and behind - first in (2, 3) and any(c.deleted)
    if drawn and all(c.tags[k] & ADJ and not c.tags[k] & (DET | FUNC & ~ADJ) for k in range(first, behind - 1)):
        return True  # "soft colored pencil"
    printed = first == 0 and behind == 1 and len(c.segments) > 1 and word in PRINTED
    plain = first > 0 and any(c.deleted) and c.words[behind - 1] in GROUNDS and behind - first < 3
    if printed or plain and (behind - first == 1 or c.tags[first] & (COLOR | ADJ) and not c.tags[first] & (DET | FUNC)):
        return True  # "album cover, three skeletons", "..., white paper"
    paper = tags & MATERIAL and " " in word and not tags & THING
    beside = behind < len(c.words) and c.tags[behind] & MATERIAL and not c.tags[behind] & THING
    maker = behind - first == 2 and first > 0 and c.tags[first] & QUALITY and not c.tags[first + 1]
    if maker and c.capital(first) and c.capital(first + 1):
        return True  # "Fujifilm Superia"
    last = beside or len(c.segments) == 2 and behind == len(c.words)
    one = behind - first == 1 and first > 0
    return one and bool(paper and (last or any(c.deleted)) or (any(c.deleted) and tags & OBJECT and word in GOODS))


def by_a_name(c: TaggedCaption, first: int, behind: int) -> bool:
    """Whether a segment behind the first is a name and its kind of picture: "John Tenniel illustration"."""
    last, names = behind - 1, range(first, behind - 1)
    named = 1 < len(names) < 4 and all(c.capital(k) and not c.tags[k] & ~ARTIST for k in names)
    return named and first > 0 and bool(c.tags[last] & MEDIUM) and not c.capital(last)


def below_a_title(c: TaggedCaption, first: int) -> bool:
    """Whether a segment in small letters stands behind a title, as on a label: "Head of a Horse, terracotta"."""
    title, behind, _ = c.segments[0]
    if not (c.capital(title) and not c.tags[title] & DET and first >= behind and not c.capital(first)):
        return False
    return behind > title + 2 or behind == title + 2 and c.capital(title + 1)


def work_below_a_title(c: TaggedCaption, first: int, behind: int) -> bool:
    """Whether a label says what its work is made of: "glazed earthenware", "carved and painted"."""
    title, end, _ = c.segments[0]
    titled = first >= end > title + 1 and all(c.capital(k) or c.tags[k] & (DET | FUNC) for k in range(title, end))
    mixed = c.tags[first] & (MATERIAL | MEDIUM) and not c.tags[first] & (DET | THING) and first > 0
    if mixed and titled and not c.capital(first) and 2 < behind - first < 9 and c.words[first + 1] in JOINED:
        return not any(c.tags[k] & (SHOWS | THING | NUMBER) for k in range(first, behind))  # "bronze with dark patina"
    drawn = mixed and c.words[first] in DRAWN_WITH and 2 < behind - first < 5
    if drawn and c.words[first + 1] in ("on", "over"):
        return not c.tags[first + 2] & DET
    if not (below_a_title(c, first) or titled and not c.capital(first)) or not 1 < behind - first < 6:
        return False
    units = range(first, behind)
    fits = all(
        c.tags[k] & (MATERIAL | MADE | ADJ | COLOR | FUNC | TECH | OBJECT) and not c.tags[k] & (DET | THING)
        for k in units
    )
    made = all(c.tags[k] & (MADE | FUNC) for k in units)
    return fits and (made or bool(c.tags[behind - 1] & (MATERIAL | OBJECT) and not c.tags[first] & (FUNC & ~ADJ)))


def lesson(c: TaggedCaption, first: int, behind: int) -> bool:
    """Whether a segment offers to teach a medium: "easy acrylic painting idea:"."""
    taught = c.words[behind - 1] in LESSONS and behind - first > 1 and not c.tags[first] & DET
    units = range(first, behind - 1)
    return (
        taught
        and all(c.tags[k] & (STYLE | ADJ) and not c.tags[k] & THING for k in units)
        and any(c.tags[k] & (MEDIUM | MATERIAL | TECH) for k in units)
    )
