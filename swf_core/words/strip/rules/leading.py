"""How captions begin to speak of a picture: "an oil painting of", "the image shows", "in this photograph"."""

from __future__ import annotations

from .before_pictures import begins, describes
from .lexicon import word_set
from .tagged_caption import TaggedCaption
from .tags import (
    ABOUT,
    ADJ,
    ARTIST,
    BOTH,
    COLOR,
    DET,
    FILLING,
    MADE,
    MATERIAL,
    MEDIUM,
    MOOD,
    MOVE,
    NOUN,
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

GENERIC, PLACED, HANGING, JOINING, DRAWN_WITH = map(word_set, ("generic", "placed", "hanging", "joining", "drawn with"))
LEADS: dict[str, list[list[str]]] = {}  # by their first word, longest first
for _lead in sorted(word_set("leads"), key=lambda lead: (-len(lead.split()), lead)):
    LEADS.setdefault(_lead.split()[0], []).append(_lead.split())
# What phrases of quality and technique end with that name a picture.
KINDS = frozenset("art design footage photo photograph photography render rendering sheet shot still".split())
FASTENED = frozenset("glued nailed pinned stapled tacked taped".split())
# Pictures on a wall or on somebody's skin.
ON_A_GROUND = frozenset("graffiti tattoo tattoos mural murals batik".split())
OWN = frozenset("his her their my your whose".split())
# What leaves a print in mud.
MARKING = frozenset("boot finger foot hand hoof paw shoe tire".split())
BESIDE = frozenset("front beside near outside".split())
# Verbs by which a painting tells something; of a person they are said too.
TELLING = frozenset("suggests imagines recreates commemorates documents narrates retells".split())
# What may follow a poster or a statue that is the picture itself.
POSTED = frozenset("of for advertising advertises promoting promotes with showing depicting design".split())
# Before "of" a way to name an author.
MANNERS = frozenset("style styles manner tradition vein spirit".split())
# What the run between a picture noun and its "of" may be made of.
PART = STYLE | FILLING | BOTH | ABOUT


def openings(c: TaggedCaption) -> None:
    """Take the openings off all segments, and the adjectives before their comma: "a faded, sepia drawing of"."""
    for n, (first, behind, sentence) in enumerate(c.segments):
        if c.deleted[first]:
            continue
        _take_openings(c, first, behind)
        if c.deleted[first] and n and not sentence:
            before, comma, _ = c.segments[n - 1]
            if _begins_an_opening(c, before, comma):
                c.delete(before, comma)


def _begins_an_opening(c: TaggedCaption, first: int, behind: int) -> bool:
    """Whether a segment before an opening belongs to it: "This is a stylized, ...", "Drawn in ink, ..."."""
    units = range(first, behind)
    if all(c.tags[k] & (DET | ADJ | COLOR | MOOD | MOVE) or c.words[k] in ("is", "it's", "here") for k in units):
        return True
    style = any(c.tags[k] & STYLE & ~WEAK for k in units)
    made = bool(c.tags[first] & MADE or c.words[first] == "done") and not c.deleted[first]
    return made and style and sum(not c.tags[k] and not c.capital(k) for k in units) < 2


def _take_openings(c: TaggedCaption, first: int, behind: int) -> None:
    """Take openings off a segment: "a painting of", "the image shows", "this is a loose sketch that depicts"."""
    at, nested = first, True
    while at < behind:
        for lead in LEADS.get(c.words[at], ()):
            if c.words[at : at + len(lead)] == lead:
                end = opening(c, at + len(lead), behind)
                if end:
                    c.delete(at, end)
                    at = end
                elif lead[0] in ("arafed", "araffe"):
                    c.delete(at, at + 1)
                    at += 1
                else:
                    return
                break
        else:
            end = opening(c, at, behind) if nested else 0
            if end and not _hangs(c, end, behind) and not _framed(c, at, end, behind):
                nested = _one_picture(c, at, end, behind)
                c.delete(at, end)
                at = end
            elif c.tags[at] & (DET | ADJ | VIEW | COLOR | NUMBER) and (view := _view(c, at, behind)):
                at = view
            else:
                return


def _hangs(c: TaggedCaption, end: int, behind: int) -> bool:
    """Whether the picture is the thing that a sentence speaks of: "a painting of a bridge hangs above the fire"."""
    verb = next(
        (
            k
            for k in range(end + 1, behind)
            if c.words[k] in ("hangs", "hang", "leans", "covers", "decorates", "adorns")
        ),
        0,
    )
    return bool(verb) and not {"that", "which", "who"} & set(c.words[end:verb]) and c.words[end - 1] == "of"


def _framed(c: TaggedCaption, at: int, end: int, behind: int) -> bool:
    """Whether the picture stands in a room: "a framed photo of a sailor on a piano"."""
    if FASTENED & set(c.words[end:behind]):
        return True  # "a photo of a dog taped to a pole"
    marks = c.words[end - 2 : end] == ["print", "of"] and MARKING & set(c.words[end : end + 4])
    return bool(marks) or "framed" in c.words[at:end] and any(c.words[k] in HANGING for k in range(end, behind))


def _one_picture(c: TaggedCaption, at: int, end: int, behind: int) -> bool:
    """Whether an opening behind this one speaks of the same picture: "an image of a woodcut of".

    Not where a picture hangs or lies in the other, nor of the statue in a photo.
    """
    heads = [c.words[k] for k in range(at, end) if c.tags[k] & MEDIUM]
    photo = bool(heads) and heads[-1].startswith(("photo", "snapshot", "polaroid"))
    if photo and any(c.tags[k] & OBJECT for k in range(end, min(behind, end + 3))):
        return False
    if heads and heads[-1].split()[-1] in GENERIC:
        return True
    hung = (k for k in range(end, behind) if c.words[k] in HANGING)
    return not any(c.words[j] in ("on", "in", "above", "against") for k in hung for j in range(max(end, k - 3), k))


def _view(c: TaggedCaption, at: int, behind: int) -> int:
    """Behind "a close up of", which is content and may stand before an opening."""
    k = at
    while k < behind and c.tags[k] & (DET | ADJ | NUMBER) and not c.tags[k] & VIEW:
        k += 1
    return k + 2 if k + 1 < behind and c.tags[k] & VIEW and c.words[k + 1] == "of" else 0


def opening(c: TaggedCaption, at: int, behind: int) -> int:
    """Where an opening that begins at a unit ends: behind its "of" or its verb; 0 when there is none."""
    k, head, unknown = at, -1, 0
    while k < behind:
        tags = c.tags[k]
        if tags & THING:
            return 0
        if c.words[k] in ("take on", "spin on") and k > at:
            return k + 1
        of = k + 1 < behind and c.words[k + 1] == "of"
        if tags & MEDIUM or (of and tags & MOVE) or (tags & OBJECT and _the_picture(c, k, behind)):
            head = k
        elif of and _before_of(c, at, k, behind, head):
            head = k
        elif tags & VIEW and head < 0 and k + 1 < behind and c.tags[k + 1] & (MEDIUM | ADJ) and c.words[k + 1] != "of":
            pass
        elif tags & (STYLE | DET | ADJ | COLOR | BOTH) or c.words[k] in ("and", "but") and k > at:
            if head >= 0 and tags & DET:
                break
            if (
                head >= 0
                and c.words[k] in ("and", "but")
                and not (k + 1 < behind and c.tags[k + 1] & (STYLE | DET | ADJ))
            ):
                break
        elif tags & NUMBER and k == at and c.words[k] != "one":
            pass  # "two paintings of"
        elif describes(c, k) and head < 0 and unknown < 3 and (k > at or begins(c, k)):
            unknown += 1
        else:
            break
        k += 1
    if head < 0:
        return _style_subject(c, at, behind)
    k = head + 1
    if k >= behind:
        return 0
    return _after_head(c, k, behind)


def _before_of(c: TaggedCaption, at: int, k: int, behind: int, head: int) -> bool:
    """Whether a unit before "of" names a picture, though by itself it may be something else."""
    tags, word = c.tags[k], c.words[k]
    if head < 0 and (tags & MATERIAL and " on " in word or word in DRAWN_WITH and k > at):
        return True  # "an oil on canvas of"
    if word in ON_A_GROUND:
        return not OWN & set(c.words[k:behind])  # "graffiti of a rat", not "a tattoo of a rose on her arm"
    if tags & (QUALITY | TECH) and word.split()[-1] in KINDS:
        return True  # "Unreal Engine 5 render of"
    return word == "scene" and any(c.tags[j] & (MEDIUM | MOVE) for j in range(at, k))  # "a pixel art scene of"


def _the_picture(c: TaggedCaption, k: int, behind: int) -> bool:
    """Whether a statue or a poster is what the picture is, rather than something that stands in a place."""
    if k + 1 >= behind or c.words[k + 1] not in POSTED:
        return False
    if c.words[k + 1] in ("advertises", "promotes", "advertising", "promoting"):
        return True
    beside = any(c.words[j] in BESIDE for j in range(k + 1, len(c.words)))
    return not beside and not any(c.words[j] in PLACED for j in range(k + 1, len(c.words)))


def _after_head(c: TaggedCaption, k: int, behind: int) -> int:
    """Where the opening ends whose picture noun stands just before unit `k`."""
    while k < behind and (
        c.words[k + 1 : k + 2] != ["which"]
        and c.words[k] in ("in", "on", "with", "and", "by", "from", "made", "done")
        and _part_until_of(c, k + 1, behind)
    ):
        k = _part_until_of(c, k + 1, behind)
    if k >= behind:
        return 0
    word = c.words[k]
    if after := _relative(c, k):
        return after
    if word == "of" and c.words[k - 1] in MANNERS:
        return 0  # "an illustration in the style of Moebius": a credit, which is read later
    if (
        word == "of"
        or c.tags[k] & SHOWS
        or word in JOINING
        or (word == "for" and c.words[k - 1].split()[-1] in ("logo", "icon", "cover", "design", "ad"))
        or (word == "about" and c.tags[k - 1] & MEDIUM)
        or (c.tags[k - 1] & OBJECT and word in ("for", "advertising", "advertises", "promotes", "promoting"))
    ):
        return k + 1
    if c.tags[k] & MADE and (of := _part_until_of(c, k + 1, behind)) and c.words[of] == "of":
        return of + 1  # "a photograph taken with a disposable camera of"
    if c.tags[k] & MADE:  # "composed of cut paper depicts ..."
        for j in range(k + 1, min(behind, k + 10)):
            if c.tags[j] & SHOWS and c.words[j] != "of":
                return j + 1
        return 0
    if word == "after" and (inner := opening(c, k + 1, behind)):
        return inner  # "an etching after a painting of"
    if word in ("is", "was", "are"):
        inner = opening(c, k + 1, behind)
        if inner:
            return inner
        if k + 1 < behind and c.tags[k + 1] & (SHOWS | MADE):
            return k + 2
        return 0
    if word in ("has", "with", "by", "to"):
        styled = c.tags[k - 1] & OBJECT and k > 1 and c.tags[k - 2] & (MOVE | WEAK)  # "a Bauhaus poster with"
        return (
            k + 1
            if word == "has" or (word == "with" and (c.tags[k - 1] & MEDIUM and c.words[k - 1] != "quilt" or styled))
            else 0
        )
    return 0


def _relative(c: TaggedCaption, k: int) -> int:
    """Behind "in which", "where", "that blends" when they follow a picture noun; else 0."""
    word, after = c.words[k], c.words[k + 1 : k + 2]
    if word in ("in", "on") and after == ["which"] and c.tags[k - 1] & (MEDIUM | OBJECT):
        return k + 2  # "a photo collage in which"
    if word == "where" and c.tags[k - 1] & MEDIUM:
        return k + 1
    if (
        word in ("that", "which")
        and after
        and (after[0] in JOINING or c.tags[k + 1] & SHOWS or after[0] in ("is", "has"))
    ):
        return k + 2
    return k + 1 if word in TELLING and c.tags[k - 1] & MEDIUM else 0


def _part_until_of(c: TaggedCaption, k: int, behind: int) -> int:
    """Behind a run of style words, names and fillings that ends before "of" or a verb of showing; 0 if it does not."""
    start = k
    while k < behind and not (c.words[k] == "of" or c.tags[k] & SHOWS):
        # One unknown word at most: "a painting in dots of"
        fits = c.tags[k] & (PART | MADE) or (c.capital(k) and not c.tags[k]) or (k == start and not c.tags[k])
        if not fits or c.tags[k] & THING:
            return 0
        k += 1
    return k if start < k < behind else 0


def _style_subject(c: TaggedCaption, at: int, behind: int) -> int:
    """An opening without a picture noun: "thick impasto and a muted palette describe ..."."""
    k, anchors = at, 0
    while k < behind and c.tags[k] & (STYLE | DET | ADJ | COLOR) or (k < behind and c.words[k] in ("and", "of")):
        anchors += bool(c.tags[k] & (TECH | NOUN | MOVE | ARTIST))
        k += 1
    return k + 1 if anchors and k < behind and c.tags[k] & SHOWS and c.words[k] != "of" else 0
