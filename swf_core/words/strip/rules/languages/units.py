"""A caption in a language of Latin letters as units: words and known phrases with tags, in segments and sentences."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ..tags import ARTIST, QUALITY, THING, Tag
from .lexicon import WORD, Lexicon

_TOKEN = re.compile(
    r"""(?P<quote>"[^"\n]{1,200}"|[\u201c\u201e][^\u201d\u201c\n]{1,200}[\u201d\u201c]|\u00ab[^\u00bb\n]{1,200}\u00bb|(?<!\w)['\u201a][^'\u2018\n]{1,120}['\u2018](?!\w))
    |(?P<tag><[a-z]+:[^<>\s]{1,80}>|(?<!\S)--[a-z]+(?:\ +\d[\d.:]*)?(?=\s|$)|:\d+(?:\.\d+)?(?=\)))
    |(?P<word>"""
    + WORD.pattern
    + r""")|(?P<sign>[^\w\s])""",
    re.VERBOSE | re.IGNORECASE,
)
_HARD = frozenset(".!?;|\u2022\u2026")
_SOFT = frozenset(",:()[]{}\u2014\u2013/")


@dataclass(frozen=True)
class Unit:
    """A word or a known phrase: folded, its tags, its place, whether it begins with a capital."""

    low: str
    tags: Tag
    start: int
    end: int
    capital: bool


@dataclass
class Reading:
    """A caption's units; `segments` are (first, behind, sentence number); `deleted` marks units to delete."""

    lexicon: Lexicon
    units: list[Unit] = field(default_factory=list)
    segments: list[tuple[int, int, int]] = field(default_factory=list)
    deleted: list[bool] = field(default_factory=list)

    def delete(self, first: int, behind: int) -> None:
        """Mark units first..behind-1."""
        for k in range(first, behind):
            self.deleted[k] = True

    def inside(self, k: int, name: str) -> bool:
        """Whether unit `k` is in a set of the lexicon."""
        words = self.lexicon.sets.get(name, frozenset())
        return any(form in words for form in self.lexicon.forms(self.units[k].low))

    def spans(self) -> list[tuple[int, int]]:
        """Character spans of what is deleted, neighbors joined."""
        spans: list[tuple[int, int]] = []
        for k, unit in enumerate(self.units):
            if self.deleted[k]:
                if k and self.deleted[k - 1] and spans:
                    spans[-1] = (spans[-1][0], unit.end)
                else:
                    spans.append((unit.start, unit.end))
        return spans


def read(text: str, words: Lexicon) -> Reading:
    """Read a caption."""
    reading = Reading(words)
    pending: list[Unit] = []
    sentence = 0
    for match in _TOKEN.finditer(text):
        kind, start, end = match.lastgroup, match.start(), match.end()
        if kind == "word":
            low, tags = words.look_up(match[0])
            capital = match[0][:1].isupper()
            if tags == ARTIST and not capital and len(low) < 6:
                tags = Tag(0)
            pending.append(Unit(low, tags, start, end, capital))
        elif kind == "quote":
            pending.append(Unit(match[0], THING, start, end, True))
        elif kind == "tag":
            tag = Unit(match[0], QUALITY, start, end, False)
            if match[0][0] != ":":
                _close(reading, pending, sentence)
                _close(reading, [tag], sentence)
                pending = []
            else:
                pending.append(tag)
        elif match[0] in _HARD or match[0] in _SOFT or (match[0] == "-" and text[start - 1 : end + 1].strip() == "-"):
            _close(reading, pending, sentence)
            pending = []
            sentence += match[0] in _HARD
    _close(reading, pending, sentence)
    reading.deleted = [False] * len(reading.units)
    return reading


def _close(reading: Reading, pending: list[Unit], sentence: int) -> None:
    """Add a segment's units, known phrases as one."""
    if not pending:
        return
    first, k = len(reading.units), 0
    while k < len(pending):
        tags, count = _phrase(reading.lexicon, pending, k)
        if count == 1:
            reading.units.append(pending[k])
        else:
            low = " ".join(u.low for u in pending[k : k + count])
            reading.units.append(Unit(low, tags, pending[k].start, pending[k + count - 1].end, pending[k].capital))
        k += count
    reading.segments.append((first, len(reading.units), sentence))


def _phrase(words: Lexicon, pending: list[Unit], k: int) -> tuple[Tag, int]:
    """The tags of the known phrase that begins at word `k`, and of how many words it is; of one where none does."""
    for first in words.forms(pending[k].low):
        for parts, tags in words.phrases.get(first, ()):
            n = len(parts)
            if k + n <= len(pending) and all(
                part in words.forms(unit.low) for part, unit in zip(parts[1:], pending[k + 1 : k + n])
            ):
                if tags == ARTIST and not pending[k + n - 1].capital and not pending[k].capital and n < 2:
                    continue
                return tags, n
    return pending[k].tags, 1
