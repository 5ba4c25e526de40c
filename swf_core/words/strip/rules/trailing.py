"""What a clause ends with to say how a picture is made: "in watercolour", "with loose brushwork", "shot on film"."""

from __future__ import annotations

from .lexicon import word_set
from .prepositions import is_style
from .tagged_caption import TaggedCaption
from .tags import ADJ, BOTH, COLOR, DET, FILLING, FUNC, MADE, MEDIUM, MOOD, MOVE, NOUN, STYLE, TECH, THING

GENERIC, TRIGGERS = map(word_set, ("generic", "triggers"))
IN_A = frozenset(
    "cartoon comic drawing engraving etching illustration painting print sketch watercolor woodcut".split()
)
ADJECTIVE = ("ed", "ic", "y", "ist", "ous")


def tails(c: TaggedCaption) -> None:
    """Cut the ends of all segments that turn to style, and "in this photograph"."""
    for n, (first, behind, _) in enumerate(c.segments):
        _cut_tails(c, first, behind)
        _in_a_picture(c, first, behind, last=n + 1 == len(c.segments))
        _in_lines(c, first, behind)
    for (first, behind, _), (after, end, sentence) in zip(c.segments, c.segments[1:]):
        if not sentence and all(c.deleted[after:end]):
            _unfinished(c, first, behind)


def _cut_tails(c: TaggedCaption, first: int, behind: int) -> None:
    """Cut a segment's end where it turns to style; again, until nothing more comes off."""
    end = behind
    while True:
        while end > first and c.deleted[end - 1]:
            end -= 1
        cut = _tail(c, first, end)
        if cut >= end:
            return
        c.delete(cut, end)
        end = cut


def _tail(c: TaggedCaption, first: int, end: int) -> int:
    """The unit from which on a segment speaks of style; `end` when none does."""
    cut, k = end, end - 1
    while k >= first:
        if c.deleted[k]:
            return cut
        tags, word = c.tags[k], c.words[k]
        trigger = word in TRIGGERS or tags & MADE
        if trigger and _names_more(c, k, cut, end):
            return cut
        if trigger and is_style(c, first, k, end):
            cut = k
        named = not tags and k > first and c.capital(k)
        adjective = not tags and k + 1 < end and c.tags[k + 1] & (NOUN | TECH) and word.endswith(ADJECTIVE)
        if tags & THING or not (tags & (STYLE | FILLING | MADE | BOTH) or named or adjective):
            return cut
        k -= 1
    return cut


def _names_more(c: TaggedCaption, k: int, cut: int, end: int) -> bool:
    """Whether a place or the like is named between a preposition and a tail found before: "in Lisbon in oils"."""
    between = range(k + 1, cut)
    return cut < end and any(not c.tags[j] for j in between) and not any(c.tags[j] & (STYLE | MADE) for j in between)


def _in_a_picture(c: TaggedCaption, first: int, behind: int, last: bool) -> None:
    """ "... in this watercolour" at the end, "in this photograph a boy ..." at the beginning of a segment."""
    for k in range(first, behind - 1):
        if c.deleted[k] or c.words[k] != "in" or not c.tags[k + 1] & DET:
            continue
        end = k + 2
        while end < behind and c.tags[end] & (STYLE | ADJ | BOTH | COLOR) and not c.tags[end] & THING:
            end += 1
        scene = c.words[k + 1] == "this" and end > k + 2 and c.words[end : end + 1] == ["scene"]
        end += scene
        pictured = scene or end > k + 2 and c.tags[end - 1] & MEDIUM
        this = c.words[k + 1] == "this" or (c.words[k + 1] == "the" and k == first)
        closes = end == behind and last and c.words[end - 1].split()[-1] in GENERIC | IN_A
        if pictured and (this or closes and k > first) and not (end < behind and c.words[end] in ("of", "on")):
            c.delete(k, end)
            return


def _in_lines(c: TaggedCaption, first: int, behind: int) -> None:
    """ "in fine pencil lines", which an opening left before what is shown: "in fine pencil lines a boat"."""
    k = next((k for k in range(first, behind) if not c.deleted[k]), behind)
    if k + 2 >= behind or c.words[k] not in ("in", "with") or c.tags[k + 1] & DET:
        return
    end = k + 1
    while end < behind and c.tags[end] & (STYLE | ADJ | COLOR) and not c.tags[end] & (DET | THING):
        end += 1
    if end < behind and c.tags[end] & DET and any(c.tags[j] & (TECH | NOUN | MEDIUM) for j in range(k + 1, end)):
        c.delete(k, end)


def _unfinished(c: TaggedCaption, first: int, behind: int) -> None:
    """ "rendered in bright" and "with loose", of which what followed their comma is deleted: "..., flat colors"."""
    end = behind
    while end > first and c.deleted[end - 1]:
        end -= 1
    k = end
    while k > first and c.tags[k - 1] & (ADJ | MOOD | MOVE) and not c.tags[k - 1] & (DET | FUNC & ~ADJ):
        k -= 1
    if k == end or k - 1 <= first or c.words[k - 1] not in ("in", "with"):
        return
    made = k - 2 if c.tags[k - 2] & MADE else k - 1
    if made == k - 2 or c.words[k - 1] == "with":
        c.delete(made, end)
