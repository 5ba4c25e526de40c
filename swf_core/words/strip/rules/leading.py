"""How captions begin to speak of a picture: "an oil painting of", "the image shows", "in this photograph"."""

from __future__ import annotations

from .clauses import sentences
from .lexicon import (
    ABOUT,
    ADJ,
    ARTIST,
    BOTH,
    COLOR,
    DET,
    FILLING,
    MADE,
    MEDIUM,
    MOVE,
    NOUN,
    NUMBER,
    OBJECT,
    SHOWS,
    STYLE,
    TECH,
    THING,
    VIEW,
    word_set,
)
from .tagged_caption import Reading

GENERIC, PLACED = word_set("generic"), word_set("placed")
LEADS: dict[str, list[list[str]]] = {}  # by their first word, longest first
for _lead in sorted(word_set("leads"), key=lambda lead: (-len(lead.split()), lead)):
    LEADS.setdefault(_lead.split()[0], []).append(_lead.split())
# What the run between a picture noun and its "of" may be made of.
PART = STYLE | FILLING | BOTH | ABOUT


def take_openings(r: Reading, first: int, behind: int) -> None:
    """Take openings off a segment: "a painting of", "the image shows", "this is a loose sketch that depicts"."""
    at, nested = first, True
    while at < behind:
        for lead in LEADS.get(r.words[at], ()):
            if r.words[at : at + len(lead)] == lead:
                end = opening(r, at + len(lead), behind)
                if end:
                    r.drop(at, end)
                    at = end
                elif lead[0] in ("arafed", "araffe"):
                    r.drop(at, at + 1)
                    at += 1
                else:
                    return
                break
        else:
            end = opening(r, at, behind) if nested else 0
            if end:
                heads = [r.words[k] for k in range(at, end) if r.bits[k] & MEDIUM]
                # A painting in a painting is a thing; "an image of a woodcut" is said of one picture.
                nested = bool(heads) and heads[-1].split()[-1] in GENERIC
                r.drop(at, end)
                at = end
            elif r.bits[at] & (DET | ADJ | VIEW | COLOR | NUMBER) and (view := _view(r, at, behind)):
                at = view
            else:
                return


def _view(r: Reading, at: int, behind: int) -> int:
    """Behind "a close up of", which is content and may stand before an opening."""
    k = at
    while k < behind and r.bits[k] & (DET | ADJ | NUMBER) and not r.bits[k] & VIEW:
        k += 1
    return k + 2 if k + 1 < behind and r.bits[k] & VIEW and r.words[k + 1] == "of" else 0


def opening(r: Reading, at: int, behind: int) -> int:
    """Where an opening that begins at a unit ends: behind its "of" or its verb; 0 when there is none."""
    k, head, unknown = at, -1, 0
    while k < behind:
        bits = r.bits[k]
        if bits & THING and not (r.words[k] == "neon sign" and k + 1 < behind and r.words[k + 1] == "of"):
            return 0
        if r.words[k] in ("take on", "spin on") and k > at:
            return k + 1
        of = k + 1 < behind and r.words[k + 1] == "of"
        if (
            bits & MEDIUM
            or of
            and (bits & MOVE or r.words[k] == "neon sign")
            or bits & OBJECT
            and _the_picture(r, k, behind)
        ):
            head = k
        elif bits & VIEW and head < 0 and k + 1 < behind and r.bits[k + 1] & (MEDIUM | ADJ) and r.words[k + 1] != "of":
            pass
        elif bits & (STYLE | DET | ADJ | COLOR | BOTH) or r.words[k] in ("and", "but") and k > at:
            if head >= 0 and bits & DET:
                break
            if (
                head >= 0
                and r.words[k] in ("and", "but")
                and not (k + 1 < behind and r.bits[k + 1] & (STYLE | DET | ADJ))
            ):
                break
        elif _describes(r, k) and head < 0 and unknown < 2 and (k > at or _owner(r, k) or _owner(r, k + 1)):
            unknown += 1
        else:
            break
        k += 1
    if head < 0:
        return _style_subject(r, at, behind)
    k = head + 1
    if k >= behind:
        return 0
    return _after_head(r, k, behind)


def _owner(r: Reading, k: int) -> bool:
    return k < len(r.words) and r.words[k].endswith("'s") and r.capital(k)


def _the_picture(r: Reading, k: int, behind: int) -> bool:
    """Whether a statue or a poster is what the picture is, rather than something that stands in a place."""
    if k + 1 >= behind or r.words[k + 1] not in ("of", "for", "advertising", "with", "showing", "depicting", "design"):
        return False
    return not any(r.words[j] in PLACED for j in range(k + 1, len(r.words)))


def _after_head(r: Reading, k: int, behind: int) -> int:
    """Where the opening ends whose picture noun stands just before unit `k`."""
    while k < behind and (
        r.words[k] in ("in", "on", "with", "and", "by", "from", "made", "done") and _part_until_of(r, k + 1, behind)
    ):
        k = _part_until_of(r, k + 1, behind)
    if k >= behind:
        return 0
    word = r.words[k]
    if word == "of" or r.bits[k] & SHOWS or (r.bits[k - 1] & OBJECT and word in ("for", "advertising")):
        return k + 1
    if r.bits[k] & MADE:  # "composed of cut paper depicts ..."
        for j in range(k + 1, min(behind, k + 10)):
            if r.bits[j] & SHOWS and r.words[j] != "of":
                return j + 1
        return 0
    if (
        word in ("that", "which", "where")
        and k + 1 < behind
        and (r.bits[k + 1] & SHOWS or r.words[k + 1] in ("is", "has"))
    ):
        return k + 2
    if word in ("is", "was", "are"):
        inner = opening(r, k + 1, behind)
        if inner:
            return inner
        if k + 1 < behind and r.bits[k + 1] & (SHOWS | MADE):
            return k + 2
        return 0
    if word in ("has", "with", "by", "to"):
        return k + 1 if word == "has" or (word == "with" and r.bits[k - 1] & MEDIUM) else 0
    return 0


def _part_until_of(r: Reading, k: int, behind: int) -> int:
    """Behind a run of style words, names and fillings that ends before "of" or a verb of showing; 0 if it does not."""
    start = k
    while k < behind and not (r.words[k] == "of" or r.bits[k] & SHOWS):
        # One unknown word at most: "a painting in dots of"
        fits = r.bits[k] & (PART | MADE) or (r.capital(k) and not r.bits[k]) or (k == start and not r.bits[k])
        if not fits or r.bits[k] & THING:
            return 0
        k += 1
    return k if start < k < behind else 0


def _style_subject(r: Reading, at: int, behind: int) -> int:
    """An opening without a picture noun: "thick impasto and a muted palette describe ..."."""
    k, anchors = at, 0
    while k < behind and r.bits[k] & (STYLE | DET | ADJ | COLOR) or (k < behind and r.words[k] in ("and", "of")):
        anchors += bool(r.bits[k] & (TECH | NOUN | MOVE | ARTIST))
        k += 1
    return k + 1 if anchors and k < behind and r.bits[k] & SHOWS and r.words[k] != "of" else 0


def _describes(r: Reading, k: int) -> bool:
    """Whether an unknown word before a picture noun looks like an adjective or a name."""
    word = r.words[k]
    if r.bits[k] & (MADE | NUMBER):
        return True
    if r.bits[k]:
        return False
    endings = (
        "ist",
        "ic",
        "al",
        "ian",
        "ish",
        "ese",
        "esque",
        "an",
        "ive",
        "ary",
        "ed",
        "y",
        "'s",
        "\u2019s",
        "ful",
        "ous",
    )
    return r.capital(k) or "-" in word or word.endswith(endings)


def in_a_picture(r: Reading, first: int, behind: int, last: bool) -> None:
    """ "... in this watercolour" at the end, "in this photograph a boy ..." at the beginning of a segment."""
    for k in range(first, behind - 1):
        if r.gone[k] or r.words[k] != "in" or not r.bits[k + 1] & DET:
            continue
        end = k + 2
        while end < behind and r.bits[end] & (STYLE | ADJ | BOTH | COLOR) and not r.bits[end] & THING:
            end += 1
        pictured = end > k + 2 and r.bits[end - 1] & MEDIUM
        this = r.words[k + 1] == "this" or (r.words[k + 1] == "the" and k == first)
        closes = end == behind and last and r.words[end - 1].split()[-1] in GENERIC | {"painting", "drawing"}
        if pictured and (this or closes and k > first) and not (end < behind and r.words[end] in ("of", "on")):
            r.drop(k, end)
            return


def across_insertions(r: Reading) -> None:
    """Openings that an insertion parted: "The artwork, [reminiscent of Hopper], depicts ..."."""
    for first, behind in sentences(r):
        alive = [k for k in range(first, behind) if not r.gone[k]]
        n = next((n for n, k in enumerate(alive[:6]) if r.bits[k] & MEDIUM), -1)
        if n < 0 or len(alive) == behind - first or n + 1 >= len(alive):
            continue
        verb = alive[n + 1]
        fits = all(r.bits[k] & (STYLE | DET | ADJ | COLOR | BOTH) for k in alive[:n])
        if fits and r.bits[alive[0]] & (DET | STYLE) and r.bits[verb] & SHOWS and r.words[verb] != "of":
            for k in alive[: n + 2]:
                r.gone[k] = True
