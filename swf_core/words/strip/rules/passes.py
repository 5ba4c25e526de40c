"""The offline method: an opening and tail grammar over a lexicon that marks the words saying how a picture is made.

No model and no download. Rules look at whole segments ("oil on canvas"), openings ("a woodcut of ..."), tails ("...
in the style of Klimt"), authors, sentences about the style, and words such as "cubist" that can mean nothing else. What
stands inside the scene (a pencil on a desk) matches none of them and stays.
"""

from __future__ import annotations

from .authors import author_tails, lone_artists
from .clauses import before_nouns, leftovers, style_clauses, style_sentences, unfinished
from .leading import across_insertions, in_a_picture, take_openings
from .lexicon import (
    ABOUT,
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
    NUMBER,
    QUALITY,
    SHOWS,
    TECH,
    THING,
    VIEW,
    WEAK,
    word_set,
)
from .tagged_caption import Reading, read
from .trailing import cut_tails

HEADS, GENERIC, ALONE, PERIODS = map(word_set, ("heads", "generic", "alone", "periods"))
# What makes a segment one about style.
ANCHOR = MEDIUM | MOVE | TECH | QUALITY | NOUN | ARTIST | BOTH


def style_spans(caption: str) -> list[tuple[int, int]]:
    """Character spans of the words that say how the picture is made, sorted, never overlapping."""
    return mark(caption).spans()


def mark(caption: str) -> Reading:
    """Read an English caption and mark what is style as gone."""
    r = read(caption)
    for first, behind, _ in r.segments:
        if _only_style(r, first, behind):
            r.drop(first, behind)
    style_sentences(r)
    for n, (first, behind, sentence) in enumerate(r.segments):
        if r.gone[first]:
            continue
        take_openings(r, first, behind)
        if r.gone[first] and n and not sentence:  # "a faded, sepia drawing of": the adjectives before a comma
            a, b, _ = r.segments[n - 1]
            if all(r.bits[k] & (DET | ADJ | COLOR | MOOD) for k in range(a, b)):
                r.drop(a, b)
    lone_artists(r)
    author_tails(r)
    for n, (first, behind, _) in enumerate(r.segments):
        cut_tails(r, first, behind)
        in_a_picture(r, first, behind, n + 1 == len(r.segments))
    across_insertions(r)
    style_clauses(r)
    unfinished(r)
    before_nouns(r)
    leftovers(r)
    if r.words and all(r.gone):
        _keep_something(r)
    return r


def style_alone(text: str) -> bool:
    """Whether each word of a text is one of style or a filling, and at least one can mean nothing else."""
    bits = read(text).bits
    sure = any(b & ANCHOR and not b & (WEAK | VIEW | THING) for b in bits)
    return sure and all(b & (ANCHOR | MATERIAL | MOOD | FILLING) and not b & (VIEW | THING) for b in bits)


def _only_style(r: Reading, first: int, behind: int) -> bool:
    """Whether a segment speaks of style alone, such as "loose ink drawing", "8k", "soft pastel colors"."""
    anchors, unknown, mood, materials = 0, 0, 0, 0
    for k in range(first, behind):
        bits = r.bits[k]
        if bits & THING:
            return r.words[first:behind] == ["a", "neon sign"] and behind == len(r.words) and first > 2
        if bits & ANCHOR:
            anchors += 1
        elif bits & MOOD:
            mood += 1
        elif bits & MATERIAL:
            materials += 2 if " on " in r.words[k] or " and " in r.words[k] else 1
        elif bits & ABOUT and "of" in r.words[first:k]:
            return False  # "a painting of a painter painting"
        elif bits & (FILLING | ABOUT | WEAK | MADE | NUMBER):
            pass
        elif bits & (SHOWS | VIEW):
            return False
        else:
            unknown += 1
    words = behind - first
    if r.words[first] in ("the", "this") and not unknown and r.words[behind - 1] in GENERIC and words == 2:
        return False  # "the image", of "the image, ... , has"
    if unknown:
        head = _head(r, first, behind)
        low = r.words[head]
        strong = low in HEADS or r.bits[head] & TECH
        surface = materials >= 1 and r.bits[behind - 1] & MATERIAL and "on" in r.words[first:behind]
        surface = surface and (anchors + materials) >= 2
        near = (
            unknown <= 2
            and unknown < words
            and not any(r.words[k].endswith("ing") and not r.bits[k] for k in range(first, behind))
        )
        return bool((strong or surface or materials >= 2) and near and not r.bits[first] & DET)
    if anchors:
        # A picture noun as the object of a preposition, or a lone "the painting", is no tag.
        return not (r.bits[first] & FUNC and r.words[first] in ("on", "with", "at", "to", "from") and not materials)
    if materials:
        return materials >= 2 or r.words[behind - 1] in ALONE or (words > 1 and r.words[first] == "on")
    if mood:
        return True
    if words > 1 and all(r.bits[k] & (WEAK | DET | ADJ) for k in range(first, behind)):
        return any(r.words[k] in PERIODS for k in range(first, behind))
    if r.words[first] in ("inked", "etched", "engraved", "hand-painted", "sketched"):
        return True
    return words == 1 and bool(r.bits[first] & WEAK and r.words[first] not in ("night", "street", "food", "action"))


def _head(r: Reading, first: int, behind: int) -> int:
    """The last unit before a preposition: what a segment is about."""
    for k in range(first + 1, behind):
        if r.words[k] in ("of", "on", "in", "with", "by", "for"):
            return k - 1
    return behind - 1


def _keep_something(r: Reading) -> None:
    """A caption of style words alone keeps its picture noun, else its first word: a result is never empty."""
    kept = next((k for k, bits in enumerate(r.bits) if bits & MEDIUM), None)
    if kept is None:
        kept = next((k for k, bits in enumerate(r.bits) if not bits & FILLING), 0)
    r.gone[kept] = False
