"""Style before a thing: "an anime style girl", "a pop art portrait", and the article that no longer fits behind it."""

from __future__ import annotations

import re

from .lexicon import PHRASES, word_set
from .tagged_caption import TaggedCaption
from .tags import (
    ADJ,
    ARTIST,
    BOTH,
    COLOR,
    DET,
    FILLING,
    FUNC,
    MEDIUM,
    MOOD,
    MOVE,
    NUMBER,
    QUALITY,
    TECH,
    THING,
    VIEW,
    WEAK,
)

STYLED, DRAWN_WITH, WHOLE_VIEWS, PERIODS = map(word_set, ("styled", "drawn with", "whole views", "periods"))
# What is said of a whole picture before "portrait of".
TREATMENT = MEDIUM | TECH | BOTH | MOOD
# Of how a portrait or a landscape is made, at the beginning of a caption.
TREATED = word_set("treated")
_GENRES = ("punk", "core", "wave")
# Sounds: "an hour", "a unicorn", "a one-eyed cat"; of words in capitals only the letter's name counts.
_AN = re.compile(r"(?:[aeiou]|8|11(?!\d)|18(?!\d)|hours?\b|honest|honou?r|heir)")
_A = re.compile(r"(?:uni(?!n|mp|mag)|us[aeu]|ur[aeiou]|ut[aeio]|uk[aeiou]|uf|eu|ewe|one\b|one-|once\b|ouija)")


def styled_things(c: TaggedCaption) -> None:
    """Delete a movement, a medium or an artist before "style" and a thing, and a medium before a view."""
    for first, behind, _ in c.segments:
        _light_on_a_thing(c, first, behind)
        for k in range(first, behind - 1):
            if c.deleted[k] or c.tags[k] & THING:
                continue
            if _before_style(c, k, behind):
                c.delete(_names(c, first, k), k + 2)
            elif (c.tags[k] & TREATMENT or c.words[k] in DRAWN_WITH) and _before_view(c, first, k, behind):
                c.delete(k, k + 1)
            elif c.words[k] in TREATED and c.words[k + 1] in WHOLE_VIEWS | TREATED and _begins(c, first, k):
                c.delete(k, k + 1)  # "a detailed portrait of", "studio portrait"
            elif _kind_of_portrait(c, first, k):
                c.delete(k, k + 1)  # "a medium format portrait of"
            elif c.words[k] in PERIODS and c.words[k + 1] in WHOLE_VIEWS and k <= first + 1:
                c.delete(k, k + 1)  # "a Baroque still life"
            elif c.tags[k] & MOVE and c.words[k].endswith(("-style", "-styled", "-inspired", "-esque")):
                c.delete(_names(c, first, k), k + 1)


def _kind_of_portrait(c: TaggedCaption, first: int, k: int) -> bool:
    kind = c.tags[k] & (QUALITY | TECH) or c.words[k] == "wet plate"
    return bool(kind) and c.words[k + 1].endswith("portrait") and _begins(c, first, k)


def _begins(c: TaggedCaption, first: int, k: int) -> bool:
    """Whether nothing but an article and words that are gone stands before a unit in its segment."""
    return all(c.deleted[j] or c.tags[j] & DET or c.words[j] in TREATED for j in range(first, k))


def _light_on_a_thing(c: TaggedCaption, first: int, behind: int) -> None:
    """Delete a technique that a segment begins with, up to what it is had on: "soft focus of a baby"."""
    k = first
    while k < behind and c.tags[k] & (ADJ | MOOD | TECH) and not c.tags[k] & DET and not c.deleted[k]:
        k += 1
    if first < k < behind - 1 and c.tags[k - 1] & TECH and c.words[k] in ("of", "on", "over", "across"):
        if c.tags[k + 1] & (DET | NUMBER) and not c.deleted[k + 1]:
            c.delete(first, k + 1)


def _before_style(c: TaggedCaption, k: int, behind: int) -> bool:
    """Whether "style" and a thing follow a unit that can only be of style."""
    if c.words[k + 1] not in STYLED or k + 2 >= behind or c.deleted[k + 1]:
        return False
    sure = c.tags[k] & (MOVE | MEDIUM | ARTIST) or (c.tags[k] & WEAK and c.words[k].endswith(_GENRES))
    return bool(sure) and not c.deleted[k + 2] and not c.tags[k + 2] & (FUNC | MEDIUM | TECH)


def _before_view(c: TaggedCaption, first: int, k: int, behind: int) -> bool:
    """Whether "portrait of" or its like follows a medium at the beginning of a segment: "a pop art portrait of"."""
    head = k + 1
    while head < behind and c.tags[head] & (ADJ | COLOR | MOVE | WEAK | BOTH | MOOD) and not c.tags[head] & VIEW:
        head += 1
    begins = all(c.deleted[j] or c.tags[j] & (DET | ADJ | COLOR | MOVE | WEAK | MOOD | BOTH) for j in range(first, k))
    if not begins or head >= behind or c.deleted[head]:
        return False
    if c.tags[k] & MOOD:  # of the scene as well, but not "a moody portrait"
        return c.words[head].endswith("portrait")
    return bool(c.tags[head] & VIEW) if c.tags[k] & MEDIUM else c.words[head] in WHOLE_VIEWS


def _names(c: TaggedCaption, first: int, k: int) -> int:
    """Where the name begins that ends in a unit: "Studio Ghibli-style", "Wes Anderson style"."""
    at, base = k, c.words[k].split("-")[0]
    if at > first and not c.deleted[at - 1] and _known(c.words[at - 1], base):
        return at - 1
    while at - 1 > first and c.capital(at - 1) and c.capital(k) and not c.deleted[at - 1] and not c.tags[at - 1]:
        at -= 1
    return at


def _known(first: str, second: str) -> bool:
    return any(parts == (first, second) for parts, _ in PHRASES.get((first, second), ()))


def articles(c: TaggedCaption) -> None:
    """Delete an "a" or "an" that a deletion set before a word with which it is not said: "an anime girl" -> "girl".

    Writing the other form would be a new word.
    """
    for first, behind, _ in c.segments:
        for k in range(first, behind - 1):
            if c.deleted[k] or c.words[k] not in ("a", "an") or not c.deleted[k + 1]:
                continue
            after = next((j for j in range(k + 2, behind) if not c.deleted[j]), None)
            if after is None:
                if not c.tags[k] & ~FILLING and k > first:
                    c.delete(k, k + 1)
            elif not fits(c.words[k], c.text[c.starts[after] : c.ends[after]]):
                c.delete(k, k + 1)


def fits(article: str, word: str) -> bool:
    """Whether "a" or "an" may stand before a word; both may where nobody can say, as before an abbreviation."""
    if len(word) > 1 and word[:2].isupper() or not word[:1].isalnum():
        return True
    low = word.lower()
    vowel = bool(_AN.match(low)) and not _A.match(low)
    return vowel == (article == "an")
