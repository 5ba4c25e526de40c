"""Sentences and clauses about the style, words such as "cubist" before nouns, and what deletions leave behind."""

from __future__ import annotations

from .lexicon import (
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
    QUALITY,
    STYLE,
    TECH,
    THING,
    VIEW,
    WEAK,
)
from .tagged_caption import Reading


def sentences(r: Reading) -> list[tuple[int, int]]:
    """First unit and behind the last of each sentence."""
    starts = [first for first, _, begins in r.segments if begins]
    return list(zip(starts, [*starts[1:], len(r.words)]))


def style_sentences(r: Reading) -> None:
    """Delete sentences that say of the picture how it is made: "The drawing has a humorous, satirical tone." """
    for first, behind in sentences(r):
        alive = [k for k in range(first, behind) if not r.gone[k]]
        n = next((n for n, k in enumerate(alive[:5]) if r.bits[k] & MEDIUM or r.words[k] == "composition"), -1)
        if n < 0 or n + 1 >= len(alive) or not r.bits[alive[0]] & DET or any(r.bits[k] & THING for k in alive):
            continue
        if r.words[alive[n + 1]] not in ("is", "has", "was", "follows", "uses", "features", "employs", "exhibits"):
            continue
        rest = alive[n + 2 :]
        unknown = [k for k in rest if not r.bits[k] and not r.capital(k)]
        about = [k for k in rest if r.bits[k] & (NOUN | TECH | MOOD | QUALITY | MOVE)]
        if (
            about
            and len(unknown) <= 2
            and "take on" not in (r.words[k] for k in rest)
            and not any(r.words[k] in ("of", "showing") and r.bits[k - 1] & MEDIUM for k in rest)
        ):
            r.drop(first, behind)


def style_clauses(r: Reading) -> None:
    """Delete clauses whose subject is the style: "the brushwork is loose", "the artist uses thick paint"."""
    before = False  # whether the clause before, of the same sentence, was one
    for first, behind, sentence in r.segments:
        before = before and not sentence
        alive = [k for k in range(first, behind) if not r.gone[k]]
        if not alive:
            before = before or sentence and bool(r.bits[first] & (DET | FUNC))
            continue
        joined = r.words[alive[0]] in ("and", "while", "with", "but", "as", "in")
        if joined and len(alive) > 1:
            alive = alive[1:]
        style = [j for j in alive if r.bits[j] & (TECH | NOUN | MOVE | MOOD | QUALITY | MEDIUM | ARTIST | MATERIAL)]
        unknown = [j for j in alive if not r.bits[j] and not r.capital(j)]
        if any(r.bits[j] & THING for j in alive):
            continue
        if not (
            sentence or joined or before or r.bits[alive[0]] & DET or r.bits[alive[0]] & (MOOD | TECH) and alive[3:]
        ):
            continue
        few = len(unknown) <= 3 or len(unknown) < len(style)
        if style and few and (_subject(r, alive, unknown) or before and joined and len(unknown) <= 2):
            r.drop(first, behind)
            before = True
        elif (
            not unknown
            and (before or len(alive) < behind - first)
            and all(r.bits[j] & (FILLING | ABOUT | MOOD | NOUN | TECH | WEAK | MOVE) for j in alive)
        ):  # what is left of a sentence about the style
            r.drop(first, behind)


def unfinished(r: Reading) -> None:
    """Delete the beginning of a sentence about the style whose rest is gone: "The artist uses thick, [visible ...]"."""
    for (first, behind, sentence), (after, end, new) in zip(r.segments, r.segments[1:]):
        if sentence and not new and r.bits[first] & DET and not any(r.gone[first:behind]) and all(r.gone[after:end]):
            words = range(first, behind)
            if all(r.bits[k] & (FILLING | ABOUT | MOOD) for k in words) and any(r.bits[k] & ABOUT for k in words):
                r.drop(first, behind)


def _subject(r: Reading, alive: list[int], unknown: list[int]) -> bool:
    """Whether a clause begins with a noun phrase about the style, or with the artist at work."""
    for n, k in enumerate(alive):
        bits, word = r.bits[k], r.words[k]
        if word in ("artist", "painter", "photographer", "illustrator") and n <= 1:
            return bool(r.bits[alive[0]] & DET) and any(r.bits[j] & (TECH | NOUN | MATERIAL) for j in alive)
        if word == "composition" and any(r.bits[j] & (TECH | NOUN | QUALITY | MOOD) for j in alive):
            return True
        if word in ("use", "attention", "it") and n <= 1 and (word != "it" or any(r.bits[j] & MADE for j in alive[:3])):
            return True
        if bits & (NOUN | TECH) or (bits & MATERIAL and word in ("paint", "pigment", "pigments", "glazes", "brush")):
            return True
        if bits & MEDIUM and n + 1 < len(alive) and (r.words[alive[n + 1]] in ("is", "has", "was")):
            return not unknown
        if not bits & (STYLE | DET | ADJ | COLOR | ABOUT) and word not in ("and", "of"):
            return False
    return False


def before_nouns(r: Reading) -> None:
    """Delete words like "cubist" that stand before what they describe, unless that is a picture in the scene."""
    for first, behind, _ in r.segments:
        for k in range(first, behind):
            if (
                r.gone[k]
                or not r.bits[k] & MOVE
                or r.bits[k] & THING
                or r.words[k] in ("sepia", "tinted", "polychrome")
            ):
                continue
            head = k + 1
            while head < behind and r.bits[head] & (MOVE | ADJ | COLOR | WEAK | MATERIAL | MOOD) and not r.gone[head]:
                head += 1
            if head < behind and not r.gone[head] and r.bits[head] & (MEDIUM | TECH | NOUN) and _inside(r, first, k):
                continue
            r.drop(k, k + 1)


def _inside(r: Reading, first: int, k: int) -> bool:
    """Whether something of the scene stands before a unit in its segment."""
    return any(not r.gone[j] and not r.bits[j] & FILLING for j in range(first, k))


def leftovers(r: Reading) -> None:
    """Little words that lost what they belonged to go too: "in a", "and", "by"."""
    for first, behind, _ in r.segments:
        alive = [k for k in range(first, behind) if not r.gone[k]]
        if not alive or len(alive) == behind - first:
            continue
        if all(r.bits[k] & (FUNC | DET | ADJ) and not r.bits[k] & VIEW or r.words[k] == "then" for k in alive):
            r.drop(first, behind)
            continue
        last = alive[-1]
        while r.gone[last + 1 : last + 2] == [True] and r.words[last] == "and":  # "... and" before what was taken away
            r.drop(last, last + 1)
            last -= 1
