"""What a clause ends with to say how a picture is made: "in watercolour", "with loose brushwork", "shot on film"."""

from __future__ import annotations

from .lexicon import (
    ADJ,
    ARTIST,
    BOTH,
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
    QUALITY,
    STYLE,
    TECH,
    THING,
    word_set,
)
from .tagged_caption import Reading

TRIGGERS, STAINED, PIED, MAKING = map(word_set, ("triggers", "stained", "pied", "making"))
WITH, SUBDUED, HUES = map(word_set, ("with", "subdued", "hues"))
SURFACES = frozenset("canvas panel vellum linen parchment masonite paper silk board".split())
ADJECTIVE = ("ed", "ic", "y", "ist", "ous")


def making(r: Reading, first: int, behind: int) -> bool:
    """Whether somebody in the scene draws, paints or writes in these units."""
    return any(
        not r.gone[k] and (r.words[k] in MAKING or r.words[k] in ("drawn", "written") and not r.bits[k] & MADE)
        for k in range(first, behind)
    )


def cut_tails(r: Reading, first: int, behind: int) -> None:
    """Cut a segment's end where it turns to style; again, until nothing more comes off."""
    end = behind
    while True:
        while end > first and r.gone[end - 1]:
            end -= 1
        cut = _tail(r, first, end)
        if cut >= end:
            return
        r.drop(cut, end)
        end = cut


def _tail(r: Reading, first: int, end: int) -> int:
    """The unit from which on a segment speaks of style; `end` when none does."""
    found, k = end, end - 1
    while k >= first:
        if r.gone[k]:
            return found
        bits, word = r.bits[k], r.words[k]
        trigger = word in TRIGGERS or bits & MADE
        if trigger and _is_style(r, first, k, end):
            found = k
        named = not bits and k > first and r.capital(k)
        adjective = not bits and k + 1 < end and r.bits[k + 1] & (NOUN | TECH) and word.endswith(ADJECTIVE)
        if bits & THING or not (bits & (STYLE | FILLING | MADE | BOTH) or named or adjective):
            return found
        k -= 1
    return found


def _is_style(r: Reading, first: int, k: int, end: int) -> bool:
    """Whether units k..end-1, which begin with a preposition or a participle, speak of style."""
    word, rest = r.words[k], range(k + 1, end)
    if k + 1 >= end:
        return False
    bits = 0
    for j in rest:
        bits |= r.bits[j]
    nouns = {r.words[j] for j in rest if r.bits[j] & NOUN}
    before = r.words[k - 1] if k > first else ""
    busy = making(r, first, k)
    article = bool(r.bits[k + 1] & DET)
    if r.bits[k] & MADE and word not in ("made", "like", "similar", "done") or word == "done":
        anchors = bits & (MOVE | TECH | QUALITY | ARTIST | MATERIAL) or nouns or (bits & MEDIUM and not article)
        return bool(anchors) and not (busy and k > first) and not (before in ("is", "are") and busy)
    if word == "made":
        return bool(bits & (TECH | QUALITY) or nouns & WITH)
    if word == "in":
        if before in STAINED:
            return False
        if bits & BOTH:
            if before in PIED:
                return False
            return any(r.gone) or k > first + 1
        if bits & (MOVE | TECH | ARTIST) or (
            nouns and not nouns <= {"school", "movement", "format", "finish", "tradition"}
        ):
            return not (busy and not nouns and not bits & MOVE)
        if bits & QUALITY:
            return True
        if bits & (MEDIUM | MATERIAL):
            return bool(
                not article
                and not busy
                and (not bits & COLOR or bool(bits & MEDIUM) or "pencil" in " ".join(r.words[k:end]))
            )
        only = all(r.bits[j] & (COLOR | MOOD | ADJ | FUNC) or r.words[j].rstrip("s") in HUES for j in rest)
        return bool(
            only
            and any(r.words[j] in SUBDUED or r.bits[j] & MOOD for j in rest)
            and end - k <= 6
            and any(r.bits[j] & COLOR or r.words[j].rstrip("s") in HUES for j in rest)
        )
    if word in ("with", "featuring", "using", "through", "via", "by"):
        if bits & (TECH | QUALITY) or nouns & WITH or (bits & MOVE and nouns):
            return not busy or bool(nouns)
        return word == "using" and bool(bits & MATERIAL) and not busy
    if word == "on":
        known = r.words[end - 1].split()[-1] in SURFACES
        after_style = k > first and (r.gone[k - 1] or r.bits[k - 1] & (MATERIAL | MEDIUM))
        return bool(
            bool(bits & MATERIAL)
            and not article
            and (after_style or (known and not busy))
            or bool(bits & QUALITY and not bits & DET)
        )
    if word == "from":
        return bool(bits & QUALITY)
    return False
