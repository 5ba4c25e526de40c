"""What captions in French, German and Spanish say of the picture behind what it shows, and inside that."""

from __future__ import annotations

from ..tags import (
    ADJ,
    ARTIST,
    BOTH,
    DET,
    FUNC,
    MADE,
    MATERIAL,
    MEDIUM,
    MOOD,
    MOVE,
    NOUN,
    NUMBER,
    QUALITY,
    THING,
    VIEW,
    WEAK,
)
from .judge import anchored, is_kept, is_name, picture_in_scene, style_or_fill
from .units import Reading

# In units: what is longer is no tail, and would take its time.
_LONGEST_TAIL = 40
_ON = ("auf", "sur", "sobre")
_MANNER = DET | ADJ | MOOD | WEAK | MOVE | NOUN | MATERIAL | MEDIUM | BOTH


def tails(r: Reading) -> None:
    """How a segment ends by speaking of the picture: "en acuarela", "im Stil von Monet", "peint par Corot"."""
    for first, behind, _ in r.segments:
        if r.deleted[behind - 1]:
            continue
        start = behind
        while start > max(first, behind - _LONGEST_TAIL) and (style_or_fill(r, start - 1) or is_name(r, start - 1)):
            start -= 1
        for k in range(start, behind):
            if k > first and not r.deleted[k] and _begins_tail(r, k, behind):
                r.delete(k, behind)
                break


def _made_with(r: Reading, k: int, behind: int) -> int:
    """Behind "mit Ölfarben gemalter" and "pintado con óleos" inside a segment; 0 where unit `k` begins none."""
    before = bool(r.units[k].tags & MADE)
    j = k + before
    if j >= behind or not (r.inside(j, "means") or r.inside(j, "make")):
        return 0
    j += 1
    first = j
    while j < behind and r.units[j].tags & (MATERIAL | MEDIUM | DET | ADJ) and not r.units[j].tags & (THING | NUMBER):
        j += 1
    if not any(r.units[i].tags & (MATERIAL | MEDIUM) for i in range(first, j)):
        return 0
    while before and r.units[j - 1].tags & DET:
        j -= 1
    if before:
        return j
    return j + 1 if j < behind - 1 and r.units[j].tags & MADE else 0


def _begins_tail(r: Reading, k: int, behind: int) -> bool:
    unit = r.units[k]
    rest = r.units[k:behind]
    if r.inside(k - 1, "acts") and unit.tags & FUNC or any(is_kept(r, u) for u in rest):
        return False
    made = any(u.tags & MADE for u in rest)
    style = any(u.tags & (NOUN | MOVE | QUALITY | ARTIST) and not u.tags & (WEAK | VIEW) for u in rest)
    if any(is_name(r, j) and not r.units[j].tags & ARTIST and not _named(r, k, j) for j in range(k, behind)):
        return False
    if unit.tags & MADE:
        by = any(r.inside(j, "by") for j in range(k, behind))
        return style or by or any(u.tags & (MEDIUM | MATERIAL) for u in rest)
    if unit.tags & BOTH:  # "un chien noir et blanc"
        return False
    if unit.low in _ON and any(u.tags & MATERIAL for u in rest) and not made:  # "ein Hund auf Papier"
        return any(d and u.tags & MEDIUM for u, d in zip(r.units[:k], r.deleted))
    if unit.tags & (NOUN | MOVE | QUALITY) and not unit.tags & WEAK:
        return anchored(r, k, behind) and not (r.units[k - 1].tags & DET and not unit.tags & MOVE)
    if r.inside(k, "make"):
        return anchored(r, k, behind) and (style or made or any(u.tags & (MEDIUM | MATERIAL) for u in rest[1:]))
    if r.inside(k, "means"):
        return made or style and not any(u.tags & (MEDIUM | MATERIAL) for u in rest)
    if r.inside(k, "by") or r.inside(k, "of"):
        return _credited(r, k, behind)
    return False


def _named(r: Reading, k: int, j: int) -> bool:
    """Whether the name at `j` is a maker's: behind "style", "par" or a word of making."""
    return any(r.units[i].tags & (NOUN | MADE | ARTIST) or r.inside(i, "by") for i in range(k, j))


def _credited(r: Reading, k: int, behind: int) -> bool:
    """Whether "par NAME" at the end of a segment names the maker: a known one, or behind a picture's deleted noun."""
    known = any(r.units[j].tags & ARTIST for j in range(k, behind))
    names = [j for j in range(k + 1, behind) if is_name(r, j)]
    medium = any(d and u.tags & (MEDIUM | MOVE) for u, d in zip(r.units, r.deleted))
    if r.inside(k, "by") and r.lexicon.language != "german":
        return known or len(names) >= 2 and medium
    return known and medium


def words_of_style(r: Reading) -> None:
    """Movements and quality inside what is left: "un paysage impressionniste avec deux vaches"."""
    for first, behind, _ in r.segments:
        for k in range(first, behind):
            tags = r.units[k].tags
            phrase = " " in r.units[k].low or "-" in r.units[k].low
            both = tags & BOTH and k > first and (r.inside(k - 1, "make") or r.deleted[k - 1])
            sure = tags & MOVE or tags & QUALITY and phrase or both
            if r.deleted[k] or not sure or tags & (WEAK | MATERIAL | MEDIUM):
                continue
            start, end = k, k + 1
            if both and not r.deleted[k - 1]:
                start = k - 1
            elif k > first and r.units[k - 1].tags & NOUN:  # "style cubiste", "de style cubiste"
                start = k - 1
            elif end < behind and r.units[end].tags & NOUN:  # "im kubistischen Stil", "en gran estilo"
                end += 1
            if start < k or end > k + 1:
                while start > first and r.units[start - 1].tags & (FUNC | DET):
                    start -= 1
            if start == first and end == behind or picture_in_scene(r, first, behind):
                continue
            r.delete(start, end)


def manners(r: Reading) -> None:
    """Manners and means in a segment: "dans le style de Monet avec un pont", "un retrato al pastel de una mujer"."""
    for first, behind, _ in r.segments:
        for k in range(first + 1, behind - 1):
            if r.deleted[k] or r.inside(k - 1, "acts"):
                continue
            if end := _made_with(r, k, behind):
                r.delete(k, end)
            if r.deleted[k] or not r.inside(k, "make"):
                continue
            end = k + 1
            while end < behind and r.units[end].tags & _MANNER and not r.units[end].tags & (THING | NUMBER):
                end += 1
            style = next((j for j in range(k, end) if r.units[j].tags & NOUN), None)
            means = r.units[k - 1].tags & VIEW and any(r.units[j].tags & (MEDIUM | MATERIAL) for j in range(k, end))
            while style is not None and end < behind and (
                r.units[end].tags & ARTIST or is_name(r, end) or end + 1 < behind and r.inside(end, "of") and
                (r.units[end + 1].tags & ARTIST or is_name(r, end + 1))
            ):  # fmt: skip
                end += 1
            if end < behind and r.inside(end, "acts"):  # "im Stil der Renaissance gekleidet"
                continue
            if style is not None and end - k > 1 + bool(r.units[k + 1].tags & DET) or means:
                while r.units[end - 1].tags & DET:
                    end -= 1
                r.delete(k, end)
