"""Sentences that say what the style does: "Flowing lines recall the posters of Alphonse Mucha" is one."""

from __future__ import annotations

from .clauses import of_a_thing, sentences
from .lexicon import word_set
from .tagged_caption import TaggedCaption
from .tags import (
    ABOUT,
    ARTIST,
    DET,
    FILLING,
    FUNC,
    MADE,
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
    WEAK,
)

SUBJECTS, EFFECTS, WHOLE, COMMON, BLURRED = map(word_set, ("subjects", "effects", "whole", "common verbs", "blurred"))
PICTURES, PUBLISHED = word_set("pictures"), word_set("published")
# What an adjective or an adverb ends with.
ADJECTIVAL = ("ed", "ly", "ic", "al", "ous", "ive", "less", "ful", "ish", "ant", "ent", "-century")
_SURE_TAGS = MEDIUM | NOUN | TECH | MOVE | QUALITY | MOOD
LEFT_VERBS = frozenset("is are was were handled treated".split())
SEEMING = [verb.split() for verb in ("is", "was", "appears to be", "seems to be", "could be", "may be", "might be")]
SURE = frozenset(
    "brushwork composition perspective linework detailing ornamentation framing influence stippling typography".split()
)
MAKERS = frozenset("artist painter photographer illustrator printmaker engraver".split())
_LONGEST_SUBJECT = 12


def effect_sentences(c: TaggedCaption) -> None:
    """Delete sentences whose subject is the style and whose verb says what it does; never all of a caption."""
    found = sentences(c)
    for first, behind in found:
        if len(found) > 1 and (_about_style(c, first, behind) or _says_what_it_is(c, first, behind)):
            c.delete(first, behind)


def _about_style(c: TaggedCaption, first: int, behind: int) -> bool:
    if _blurred_background(c, first, behind) or _signed(c, first, behind):
        return True
    verb = next((k for k in range(first + 1, min(behind, first + _LONGEST_SUBJECT)) if _is_verb(c, first, k)), 0)
    if not verb or not _is_subject(c, first, verb):
        return False
    rest = range(verb + 1, behind)
    unknown = sum(not c.tags[k] and not c.capital(k) and not _said_of_style(c.words[k]) for k in rest)
    style = sum(bool(c.tags[k] & (STYLE & ~WEAK) or c.words[k] in WHOLE) for k in rest)
    if any(c.tags[k] & (THING | NUMBER) for k in rest):
        return False
    if {"signed", "dated"} & set(c.words[verb : verb + 3]):
        return unknown <= 3  # "The painting is signed in the lower right corner."
    if c.words[verb - 1] in MAKERS or c.words[verb - 2] in MAKERS:
        return style > 0 and (unknown <= 1 or any(c.tags[k] & (STYLE & ~WEAK) for k in rest[:4]))
    picture = bool(c.tags[verb - 1] & MEDIUM) or c.words[verb - 1] in PICTURES | {"it", "this"}
    if picture and any(
        c.words[k] in ("take on", "spin on", "showing", "depicting")
        or (c.words[k] == "of" and c.tags[k - 1] & (MEDIUM | OBJECT))
        for k in rest
    ):
        return False
    if picture or c.words[verb] in COMMON:
        about = style + (not picture and sum(bool(c.tags[k] & ABOUT) for k in rest))
        named = any(c.words[k] in SURE or c.tags[k] & (NOUN | TECH | MOVE) for k in range(first, verb))
        described = not picture and named and all(c.tags[k] or _said_of_style(c.words[k]) for k in rest)
        return (about > 0 or described) and unknown <= 1
    return unknown <= 2 or unknown <= style


def _signed(c: TaggedCaption, first: int, behind: int) -> bool:
    """ "The work is signed and dated in the lower left.": of the picture, not of a letter."""
    words = c.words[first : min(behind, first + 5)]
    said = next((n for n, word in enumerate(words) if word in ("signed", "dated", "numbered")), 0)
    return said > 1 and words[0] in ("the", "this", "it") and bool(set(words[:said]) & (PICTURES | {"it", "print"}))


def _said_of_style(word: str) -> bool:
    """Whether an unknown word is one for the parts of a picture, or looks like an adjective or an adverb."""
    return word in WHOLE | SUBJECTS or word.endswith(ADJECTIVAL)


def left_clauses(c: TaggedCaption) -> None:
    """Delete what is left of a sentence about the style: "..., with fragmented planes", "..., possibly 1930s"."""
    parted: list[list[tuple[int, int]]] = []
    for a, b, begins in c.segments:
        if begins or not parted:
            parted.append([])
        parted[-1].append((a, b))
    for parts in parted:
        first = parts[0][0]
        main = any(c.words[k] in EFFECTS or c.words[k] in ("appears", "seems") for k in range(*parts[0]))
        for n, (a, b) in enumerate(parts[1:], 1):
            if not main or not all(c.deleted[first:a]) or all(c.deleted[a:b]):
                continue
            alive = [k for k in range(a, b) if not c.deleted[k]]
            if len(parts) == n + 1 and _still_about_style(c, alive):
                c.delete(a, b)


def _still_about_style(c: TaggedCaption, alive: list[int]) -> bool:
    if any(c.tags[k] & (THING | NUMBER) and not c.words[k][:1].isdigit() for k in alive):
        return False
    word, rest = c.words[alive[0]], alive[1:]
    unknown = [k for k in rest if not c.tags[k] and c.words[k] not in SUBJECTS | WHOLE]
    style = any(c.tags[k] & (STYLE & ~WEAK) or c.words[k] in SUBJECTS | WHOLE for k in rest)
    if word in ("possibly", "likely", "probably", "perhaps"):
        return not unknown
    if word in ("with", "featuring") or word.endswith("ing"):
        return style and len(unknown) <= 2 and bool(rest)
    return False


def _blurred_background(c: TaggedCaption, first: int, behind: int) -> bool:
    """ "The background is softly blurred.": of a lens, unlike "The background is a brick wall." """
    words = c.words[first:behind]
    grounds = {"background", "foreground"} & set(words[:4])
    known = BLURRED | {"background", "foreground", "out", "left", "kept", "thrown"}
    fits = all(c.words[k] in known or c.tags[k] & (FILLING | STYLE | ABOUT | MADE) for k in range(first, behind))
    return bool(grounds and BLURRED & set(words)) and fits


def stumps(c: TaggedCaption) -> None:
    """Delete "The character is", of which the style behind it was all that was said.

    A thing that the caption names there for the first time stays, without its verb: "A red barn is" -> "A red barn".
    """
    for first, behind in sentences(c):
        alive = [k for k in range(first, behind) if not c.deleted[k]]
        if not 1 < len(alive) < 6 or alive[-1] == behind - 1 or c.words[alive[-1]] not in LEFT_VERBS:
            continue
        if c.words[first] in ("a", "an") or len(alive) == c.deleted.count(False):
            continue
        if (c.tags[first] & DET or c.words[first] in ("light", "color", "paint")) and not any(
            c.tags[k] & (THING | NUMBER) for k in alive
        ):
            c.delete(first, behind)
    for first, behind, _ in c.segments:
        _left_verb(c, first, behind)


def _left_verb(c: TaggedCaption, first: int, behind: int) -> None:
    """Delete "and is" at the end of "A barn stands in snow and is", behind which all that was said is gone."""
    alive = [k for k in range(first, behind) if not c.deleted[k]]
    if len(alive) < 2 or alive[-1] == behind - 1 or c.words[alive[-1]] not in ("is", "are", "was", "were"):
        return
    joined = c.words[alive[-2]] == "and" and len(alive) > 2
    c.delete(alive[-2] if joined else alive[-1], behind)


def _is_verb(c: TaggedCaption, first: int, k: int) -> bool:
    """Whether a unit is the sentence's verb: a word of effect behind what may be its subject."""
    if c.words[k] not in EFFECTS:
        return False
    if c.words[k - 1] in ("it", "this") and k - 1 == first:  # "It has the look of an engraving."
        return not c.tags[k] & SHOWS and any(
            c.tags[j] & (NOUN | TECH | MEDIUM | MOVE) for j in range(k + 1, min(k + 7, len(c.words)))
        )
    before = c.tags[k - 1]
    return bool(before & (STYLE | ABOUT) or c.words[k - 1] in SUBJECTS) and not before & (FUNC & ~STYLE)


def _is_subject(c: TaggedCaption, first: int, verb: int) -> bool:
    """Whether what stands before the verb names a way of making pictures: "the soft, diffused lighting"."""
    if c.words[verb - 1] in MAKERS or verb - 2 > first and c.words[verb - 2] in MAKERS:
        return bool(c.tags[first] & DET) and verb - first <= 3
    heads = [
        k
        for k in range(first, verb)
        if c.tags[k] & (NOUN | TECH | MOVE | MEDIUM | QUALITY) and not c.tags[k] & THING or c.words[k] in SUBJECTS
    ]
    if verb == first + 1 and c.words[first] in ("it", "this"):
        return True  # "It has the look of an engraving."
    if not heads or (heads[-1] != verb - 1 and not c.tags[verb - 1] & ARTIST):
        return False
    if of_a_thing(c, heads[0] + 1):
        return False
    sure = any(c.words[k] in SURE or c.tags[k] & _SURE_TAGS for k in range(first, verb))
    described = len(heads) > 1 or any(not c.tags[k] for k in range(first, verb))
    unknown = [k for k in range(first, verb) if not c.tags[k] and c.words[k] not in SUBJECTS]
    things = any(
        c.tags[k] & (THING | NUMBER | OBJECT) and not c.words[k].endswith("'s") for k in range(first, verb)
    )  # but "the mural's bright colors"
    return (sure or described) and len(unknown) <= 2 and not things


def _says_what_it_is(c: TaggedCaption, first: int, behind: int) -> bool:
    """ "This is a vintage travel poster.": nothing but what kind of picture it is."""
    if c.words[first] not in ("this", "it") and c.words[first] not in ("this is", "it is", "it's"):
        return False
    after = c.words[first + 1 : first + 4]
    start = next((first + 1 + len(verb) for verb in SEEMING if after[: len(verb)] == verb), 0)
    rest = [k for k in range(start, behind) if c.words[k] not in PUBLISHED]
    if not start or not rest:
        return False
    kinds = any(c.tags[k] & (STYLE & ~WEAK | OBJECT) for k in rest)
    return kinds and all(c.tags[k] & (STYLE | FILLING | OBJECT | ABOUT | MADE) and not c.tags[k] & THING for k in rest)
