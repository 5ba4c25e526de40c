"""What units of a caption in French, German or Spanish are together: style alone, a name, a picture in the scene."""

from __future__ import annotations

from ..tags import (
    ABOUT,
    ADJ,
    ARTIST,
    BOTH,
    COLOR,
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
from .units import Reading, Unit

_FILL = DET | FUNC | ADJ | COLOR | MADE | ABOUT | MOOD | WEAK
_STYLE = MEDIUM | MATERIAL | MOVE | QUALITY | NOUN | ARTIST | BOTH
_PARTICLES = frozenset("de du des del la le les da di van von der den ter le l' d' y e".split())


def fills(r: Reading, k: int) -> bool:
    """Whether a unit says nothing by itself: an article, a preposition, an adjective of style or of anything."""
    tags = r.units[k].tags
    return bool(tags & _FILL) and not tags & (_STYLE | THING | NUMBER) or r.inside(k, "subject")


def style_or_fill(r: Reading, k: int) -> bool:
    """Whether a unit is a word of style or says nothing by itself."""
    tags = r.units[k].tags
    return not tags & (THING | NUMBER) and (bool(tags & _STYLE) or fills(r, k))


def is_name(r: Reading, k: int) -> bool:
    """Whether a unit can be part of a person's name: a capital, and no known word; or a particle between two."""
    unit = r.units[k]
    if unit.tags & ARTIST and unit.capital:
        return True
    if r.lexicon.language == "german":  # every noun has a capital: only behind "gemalt von", "im Stil von"
        return unit.capital and not unit.tags and _behind_credit(r, k)
    if unit.capital and not unit.tags & ~(ARTIST | ADJ | WEAK):
        return True
    inner = 0 < k < len(r.units) - 1 and r.units[k - 1].capital and r.units[k + 1].capital
    return inner and unit.low in _PARTICLES


def _behind_credit(r: Reading, k: int) -> bool:
    """Whether nothing but names stands between a unit and "von" behind a word of making or of style."""
    j = k - 1
    while j >= 0 and r.units[j].capital and not r.units[j].tags & ~ARTIST:
        j -= 1
    return j > 0 and r.inside(j, "by") and bool(r.units[j - 1].tags & (MADE | NOUN))


def is_kept(r: Reading, unit: Unit) -> bool:
    """Whether a unit is quoted, or counts what is shown."""
    return unit.low in r.lexicon.sets.get("count", ()) or unit.low[:1] in '"\u201c\u201e\u00ab'


def anchored(r: Reading, first: int, behind: int) -> bool:
    """Whether units hold one that is surely the picture's."""
    material = 0
    for k in range(first, behind):
        tags = r.units[k].tags
        if tags & (MOVE | QUALITY | NOUN | ARTIST | BOTH) and not tags & WEAK:
            return True
        if tags & MEDIUM:
            return True
        if tags & MATERIAL:
            material += 1
            if k > first and (r.inside(k - 1, "make") or r.inside(k - 1, "means") or _made(r, first, k)):
                return True
    if material > 1 or material and _made(r, first, behind):
        return True
    return any(r.inside(k, "subject") for k in range(first, behind)) and any(
        r.units[k].tags & (ADJ | MOOD | WEAK) for k in range(first, behind)
    )


def _made(r: Reading, first: int, behind: int) -> bool:
    return any(
        u.tags & MADE or u.tags & FUNC and r.inside(k, "make") for k, u in enumerate(r.units[first:behind], first)
    )


def only_style(r: Reading, first: int, behind: int) -> bool:
    """Whether a run of units speaks of nothing but how the picture is made."""
    units = r.units[first:behind]
    if all(u.tags & (MOOD | FUNC | DET) and not u.tags & (THING | NUMBER) for u in units):
        return any(u.tags & MOOD for u in units) and not units[0].tags & DET
    named = False  # names of makers stand behind "style" or "par"
    for k in range(first, behind):
        unit = r.units[k]
        named = named or bool(unit.tags & (NOUN | MADE | MOVE | ARTIST)) or r.inside(k, "by")
        if not style_or_fill(r, k) and not (named and k > first and is_name(r, k)):
            return False
        if unit.tags & VIEW:
            return False
    return anchored(r, first, behind)


_RELATIVE = frozenset(("qui", "que", "der", "die", "das"))


def picture_in_scene(r: Reading, first: int, behind: int) -> bool:
    """Whether a segment speaks of a picture as a thing: hung, sold, torn; not of what does so in the picture."""
    shown = r.lexicon.sets.get("display", ())
    for k in range(first, behind):
        words = " ".join(u.low for u in r.units[k : k + 3])
        if any(f"{words} ".startswith(f"{each} ") for each in shown) and r.units[max(k - 1, 0)].low not in _RELATIVE:
            return True
    return False
