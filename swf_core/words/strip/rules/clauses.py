"""Sentences and clauses about the style, words such as "cubist" before nouns, and what deletions leave behind."""

from __future__ import annotations

from .lexicon import word_set
from .tagged_caption import TaggedCaption
from .tags import (
    ABOUT,
    ADJ,
    ARTIST,
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
    QUALITY,
    SHOWS,
    STYLE,
    TECH,
    THING,
    VIEW,
    WEAK,
)

VERBS = word_set("effects") | frozenset("was were had being been appears appear seems seem gave".split())
SHOWING, ABOUT_PICTURES = word_set("showing"), word_set("whole") | word_set("subjects")
STUFFS = frozenset("brass bronze clay copper cotton felt film glass ivory marble silk wax wood wool yarn".split())
SHINES = frozenset("bathes catches fills floods hits illuminates touches warms washes".split())
CRAFTED = word_set("crafted")
PLURALS = frozenset(f"{thing}s" for thing in CRAFTED)
BEFORE_THINGS = frozenset("of in on at and between inside around over across under above behind".split())
# What may stand between "cubist" and its noun.
DESCRIBING = MOVE | ADJ | COLOR | WEAK | MATERIAL | MOOD


def sentences(c: TaggedCaption) -> list[tuple[int, int]]:
    """First unit and behind the last of each sentence."""
    starts = [first for first, _, begins in c.segments if begins]
    return list(zip(starts, [*starts[1:], len(c.words)]))


def style_clauses(c: TaggedCaption) -> None:
    """Delete clauses whose subject is the style: "the brushwork is loose", "the artist uses thick paint"."""
    before = False  # whether the clause before, of the same sentence, was one
    for first, behind, sentence in c.segments:
        before = before and not sentence
        alive = [k for k in range(first, behind) if not c.deleted[k]]
        if not alive:
            before = before or sentence and bool(c.tags[first] & (DET | FUNC))
            continue
        joined = c.words[alive[0]] in ("and", "while", "with", "but", "as", "in")
        if joined and len(alive) > 1:
            alive = alive[1:]
        style = [j for j in alive if c.tags[j] & (TECH | NOUN | MOVE | MOOD | QUALITY | MEDIUM | ARTIST | MATERIAL)]
        unknown = [j for j in alive if not c.tags[j] and not c.capital(j)]
        if any(c.tags[j] & THING or (c.tags[j] & VIEW and c.words[j + 1 : j + 2] == ["of"]) for j in alive):
            continue
        if not (
            sentence or joined or before or c.tags[alive[0]] & DET or c.tags[alive[0]] & (MOOD | TECH) and alive[3:]
        ):
            continue
        few = len(unknown) <= 3 or len(unknown) < len(style)
        if style and few and (_subject(c, alive, unknown) or before and joined and len(unknown) <= 2):
            c.delete(first, behind)
            before = True
        elif alive[0] > first and (c.tags[alive[0] - 1] & SHOWS or c.words[alive[0] - 1] in ("with", "has")):
            before = False  # an opening ended here: "a drawing of an eye"
        elif (
            not unknown
            and (before or len(alive) < behind - first)
            and all(c.tags[j] & (FILLING | ABOUT | MOOD | NOUN | TECH | WEAK | MOVE) for j in alive)
        ):  # what is left of a sentence about the style
            c.delete(first, behind)


def unfinished_sentences(c: TaggedCaption) -> None:
    """Delete the beginning of a sentence about the style whose rest is deleted: "The artist uses thick, ..."."""
    for (first, behind, sentence), (after, end, new) in zip(c.segments, c.segments[1:]):
        rest_deleted = not any(c.deleted[first:behind]) and all(c.deleted[after:end])
        if sentence and not new and c.tags[first] & DET and rest_deleted:
            words = range(first, behind)
            if all(c.tags[k] & (FILLING | ABOUT | MOOD) for k in words) and any(c.tags[k] & ABOUT for k in words):
                c.delete(first, behind)


def _subject(c: TaggedCaption, alive: list[int], unknown: list[int]) -> bool:
    """Whether a clause begins with a noun phrase about the style, or with the artist at work."""
    for n, k in enumerate(alive):
        tags, word = c.tags[k], c.words[k]
        if word in ("artist", "painter", "photographer", "illustrator") and n <= 1:
            return c.words[alive[0]] in ("the", "this", "its") and any(
                c.tags[j] & (TECH | NOUN | MATERIAL) for j in alive
            )
        if word == "composition" and any(c.tags[j] & (TECH | NOUN | QUALITY | MOOD) for j in alive):
            return True
        if word in ("use", "attention", "it") and n <= 1 and (word != "it" or any(c.tags[j] & MADE for j in alive[:3])):
            return True
        if (
            tags & MATERIAL
            and unknown
            and not any(c.tags[j] & (NOUN | TECH | MOVE | MEDIUM | QUALITY) for j in alive if j != k)
        ):
            return False  # "The paint is peeling from the door."
        if tags & (NOUN | TECH) and (of_a_thing(c, k + 1) or falls_on_a_thing(c, k + 1)):
            return False
        if tags & MATERIAL and tags & NOUN and n + 1 == len(alive) and c.words[alive[0]] in ("a", "an"):
            return False  # "a brush"
        if tags & (NOUN | TECH) and unknown and not _has_verb(c, alive[n + 1 :]):
            return False  # "an anime style girl with a hat"
        if tags & (NOUN | TECH) or (tags & MATERIAL and word in ("paint", "pigment", "pigments", "glazes", "brush")):
            return True
        if tags & MEDIUM and n + 1 < len(alive) and (c.words[alive[n + 1]] in ("is", "has", "was")):
            return not unknown
        if not tags & (STYLE | DET | ADJ | COLOR | ABOUT) and word not in ("and", "of"):
            return False
    return False


def _has_verb(c: TaggedCaption, behind: list[int]) -> bool:
    """Whether something may be said of the noun that stands before these units: "is", "lends", an unknown verb."""
    if behind and not c.tags[behind[0]] and c.words[behind[0]].endswith(("s", "ed", "ing")):
        return True
    return any(c.words[k] in VERBS or c.tags[k] & (SHOWS | MADE) and c.words[k] != "of" for k in behind)


def falls_on_a_thing(c: TaggedCaption, k: int) -> bool:
    """Whether light behaves in the scene: "warm light filters through the awnings", "soft light fills the kitchen"."""
    if k + 2 < len(c.words) and c.words[k] in SHINES and c.tags[k + 1] & DET:
        return not c.tags[k + 2] and c.words[k + 2] not in ABOUT_PICTURES
    return (
        k + 1 < len(c.words)
        and c.words[k + 1] in ("through", "across", "into", "onto", "over", "from")
        and (c.words[k].endswith("s") or not c.tags[k])
    )


def of_a_thing(c: TaggedCaption, k: int) -> bool:
    """Whether a thing of the scene is named behind a noun of style: "the colors of the flag", "a brush and a comb"."""
    if not (k + 1 < len(c.words) and c.words[k] in BEFORE_THINGS):
        return False
    determined = bool(c.tags[k + 1] & (DET | NUMBER))
    if c.words[k] == "and" and not determined:
        return False
    end = k + 1
    while end < len(c.words) and not c.tags[end] & (FUNC | SHOWS) and not c.deleted[end]:
        end += 1
    head = end - 1
    if determined and c.words[head] in STUFFS:
        return True  # "the texture of the wool"
    if head == k or c.words[head] in ABOUT_PICTURES or c.tags[head] & (STYLE | ABOUT | DET | COLOR):
        return False
    return determined or not c.tags[head]


def adjectives(c: TaggedCaption) -> None:
    """Delete words like "cubist" that stand before what they describe, unless that is a picture in the scene."""
    for first, behind, _ in c.segments:
        for k in range(first, behind):
            if (
                c.deleted[k]
                or not c.tags[k] & MOVE
                or c.tags[k] & THING
                or c.words[k] in ("sepia", "tinted", "polychrome")
            ):
                continue
            head = k + 1
            while head < behind and c.tags[head] & DESCRIBING and not c.deleted[head]:
                head += 1
            if c.words[k].startswith("hand") and head < behind and c.words[head] in CRAFTED | PLURALS:
                continue  # "a hand-painted sign"
            if head < behind and not c.deleted[head] and c.tags[head] & (MEDIUM | TECH | NOUN) and _inside(c, first, k):
                continue
            c.delete(k, k + 1)


def _inside(c: TaggedCaption, first: int, k: int) -> bool:
    """Whether something of the scene stands before a unit in its segment."""
    return any(not c.deleted[j] and not c.tags[j] & FILLING for j in range(first, k))


def stray_words(c: TaggedCaption) -> None:
    """Little words that lost what they belonged to go too: "in a", "and", "by"."""
    start = 0
    for first, behind, sentence in c.segments:
        start = first if sentence else start
        alive = [k for k in range(first, behind) if not c.deleted[k]]
        if not alive:
            continue
        if all(c.deleted[start : alive[0]]) and alive[0] > start and c.words[alive[0]] in SHOWING and alive[1:]:
            c.delete(alive[0], alive[0] + 1)  # "a poster by Mucha, showing a woman"
            continue
        shown = len(alive) > 2 and c.words[alive[0]] == "it" and c.words[alive[1]] in SHOWING
        if shown and all(c.deleted[start : alive[0]]) and alive[0] > start:
            c.delete(alive[0], alive[1] + 1)  # "An ink drawing, it shows a girl"
            continue
        if len(alive) == behind - first:
            continue
        if all(c.tags[k] & (FUNC | DET | ADJ) and not c.tags[k] & VIEW or c.words[k] == "then" for k in alive):
            c.delete(first, behind)
            continue
        if len(alive) == 1 and c.words[alive[0]] in ("all", "both", "each", "everything"):
            c.delete(first, behind)  # ", all rendered in pastel tones"
            continue
        if len(alive) == 1 and c.tags[alive[0]] & MADE and all(c.deleted[alive[0] + 1 : behind]):
            c.delete(first, behind)  # "signed", of "signed by the artist"
            continue
        last = alive[-1]
        while c.words[last] == "and" and c.deleted[last + 1 : last + 2] == [True]:  # "... and" before deleted words
            c.delete(last, last + 1)
            last -= 1
