"""A caption as units: words and known phrases with their tags, parted into segments and sentences."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from .lexicon import PHRASES, Phrase, look_up, plain
from .tags import MEDIUM, QUALITY, THING, Tag

# What counts as one piece: something in quotes, a prompt writer's tag or option, a word, or a sign of punctuation.
_TOKEN = re.compile(
    r"""(?P<quote>"[^"\n]{1,200}"|\u201c[^\u201d\n]{1,200}\u201d|\u00ab[^\u00bb\n]{1,200}\u00bb|(?<!\w)'[^'\n]{1,120}'(?!\w))
    |(?P<tag><[a-z]+:[^<>\s]{1,80}>|\bartist:[\w-]+|(?<!\S)--[a-z]+(?:\ +(?:\d[\d.:]*))?(?=\s|$)|:\d+(?:\.\d+)?(?=\)))
    |(?P<word>\b[A-Z]\.(?=\ ?[A-Z])|\b(?:St|Mr|Mrs|Dr|ca?|approx|[ap]\.m)\.|\d+:\d+|\w+(?:[-'\u2019./&+]\w+)*%?)
    |(?P<sign>[^\w\s])""",
    re.VERBOSE,
)
HARD = frozenset(".!?;|\u2022\u2026")
SOFT = frozenset(",:()[]{}\u2014\u2013/")


@dataclass
class TaggedCaption:
    """The units of a caption: what each says in plain form, its tags, its place, and which segment holds it.

    `segments` are (first unit, behind the last, whether a sentence begins); `given` marks names of a medium that the
    caller gave, `deleted` the units to delete.
    """

    text: str
    words: list[str] = field(default_factory=list)
    tags: list[Tag] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    segments: list[tuple[int, int, bool]] = field(default_factory=list)
    given: list[bool] = field(default_factory=list)
    deleted: list[bool] = field(default_factory=list)

    def capital(self, unit: int) -> bool:
        """Whether a unit is written with a capital."""
        return self.text[self.starts[unit]].isupper()

    def delete(self, first: int, behind: int) -> None:
        """Mark units first..behind-1 as deleted."""
        for unit in range(first, behind):
            self.deleted[unit] = True

    def spans(self) -> list[tuple[int, int]]:
        """Character spans of what is deleted, neighbors joined."""
        spans: list[tuple[int, int]] = []
        for unit, deleted in enumerate(self.deleted):
            if not deleted:
                continue
            if unit and self.deleted[unit - 1] and spans:
                spans[-1] = (spans[-1][0], self.ends[unit])
            else:
                spans.append((self.starts[unit], self.ends[unit]))
        return spans


@dataclass(frozen=True)
class _Word:
    """A word on its way into a unit: its plain form, its tags, its place in the text."""

    low: str
    tags: Tag
    start: int
    end: int


def tag_caption(text: str, media: Sequence[str] = ()) -> TaggedCaption:
    """Read a caption into units. `media`: words and phrases that are names of a medium here, whatever the lists say."""
    caption = TaggedCaption(text)
    known = media_phrases(tuple(media))
    pending: list[_Word] = []  # words of the segment that is being read
    sentence = True
    for match in _TOKEN.finditer(text):
        kind, start, end = match.lastgroup, match.start(), match.end()
        if kind == "word":
            pending.append(_Word(*look_up(match[0]), start, end))
        elif kind == "quote":
            pending.append(_Word(match[0], THING, start, end))
        elif kind == "tag":
            tag = _Word(match[0], QUALITY, start, end)
            if match[0][0] == "-":  # an option is a segment of its own
                _close(caption, pending, sentence, known)
                _close(caption, [tag], False, known)
                pending, sentence = [], False
            else:
                pending.append(tag)
        elif match[0] in HARD or match[0] in SOFT or _dash(text, start):
            if pending:
                _close(caption, pending, sentence, known)
                pending, sentence = [], False
            sentence = sentence or match[0] in HARD
    _close(caption, pending, sentence, known)
    caption.deleted = [False] * len(caption.words)
    return caption


@lru_cache(maxsize=64)
def media_phrases(media: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """Names of media in their words, plain, without an article, longest first."""
    phrases = (tuple(plain(name).split()) for name in media)
    bare = {phrase[1:] if phrase[:1] in (("a",), ("an",)) else phrase for phrase in phrases}
    return tuple(sorted(filter(None, bare), key=lambda phrase: (-len(phrase), phrase)))


def _dash(text: str, at: int) -> bool:
    return text[at] == "-" and text[at - 1 : at + 2].strip() == "-"


def _phrases(first: str, second: str) -> list[Phrase]:
    """Known phrases that begin with two words, longest first; the second may be a plural."""
    phrases = PHRASES.get((first, second), [])
    singular = PHRASES.get((first, second[:-1])) if second.endswith("s") else None
    return sorted(singular + phrases, key=lambda phrase: -len(phrase[0])) if singular else phrases


def _unit(words: list[_Word], k: int, media: Sequence[tuple[str, ...]]) -> tuple[str, Tag, int, bool]:
    """What the unit that begins at word `k` says, its tags, of how many words it is, and whether it is in `media`."""
    for parts in media:
        if tuple(word.low for word in words[k : k + len(parts)]) == parts:
            return " ".join(parts), MEDIUM, len(parts), True
    for parts, tags in _phrases(words[k].low, words[k + 1].low) if k + 1 < len(words) else ():
        n = len(parts)
        if k + n > len(words):
            continue
        last = words[k + n - 1].low
        if last in (parts[-1], parts[-1] + "s") and all(words[k + j].low == parts[j] for j in range(1, n - 1)):
            return " ".join(parts), tags, n, False
    return words[k].low, words[k].tags, 1, False


def _close(caption: TaggedCaption, words: list[_Word], sentence: bool, media: Sequence[tuple[str, ...]]) -> None:
    """Add a segment's words, those that make a known phrase as one unit."""
    if not words:
        return
    first, k = len(caption.words), 0
    while k < len(words):
        low, tags, count, given = _unit(words, k, media)
        caption.words.append(low)
        caption.tags.append(tags)
        caption.given.append(given)
        caption.starts.append(words[k].start)
        caption.ends.append(words[k + count - 1].end)
        k += count
    caption.segments.append((first, len(caption.words), sentence))
