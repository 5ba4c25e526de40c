"""A caption as units: words and known phrases with their classes, parted into segments and sentences."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from .lexicon import PHRASES, QUALITY, THING, look_up

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
class Reading:
    """The units of a caption: what each says in plain form, its class bits, its place, and which segment holds it.

    `segments` are (first unit, behind the last, whether a sentence begins); `gone` marks the units to delete.
    """

    text: str
    words: list[str] = field(default_factory=list)
    bits: list[int] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    segments: list[tuple[int, int, bool]] = field(default_factory=list)
    gone: list[bool] = field(default_factory=list)

    def capital(self, unit: int) -> bool:
        """Whether a unit is written with a capital."""
        return self.text[self.starts[unit]].isupper()

    def drop(self, first: int, behind: int) -> None:
        """Mark units first..behind-1 as gone."""
        for unit in range(first, behind):
            self.gone[unit] = True

    def spans(self) -> list[tuple[int, int]]:
        """Character spans of what is gone, neighbours joined."""
        found: list[tuple[int, int]] = []
        for unit, gone in enumerate(self.gone):
            if not gone:
                continue
            if unit and self.gone[unit - 1] and found:
                found[-1] = (found[-1][0], self.ends[unit])
            else:
                found.append((self.starts[unit], self.ends[unit]))
        return found


def read(text: str) -> Reading:
    """Read a caption into units."""
    reading = Reading(text)
    pending: list[tuple[str, int, int, int]] = []  # words of the segment that is being read
    sentence = True
    for match in _TOKEN.finditer(text):
        kind, start, end = match.lastgroup, match.start(), match.end()
        if kind == "word":
            low, bits = look_up(match[0])
            pending.append((low, bits, start, end))
        elif kind == "quote":
            pending.append((match[0], THING, start, end))
        elif kind == "tag":
            pending.append((match[0], QUALITY, start, end))
            if match[0][0] == "-":  # an option is a segment of its own
                option = pending.pop()
                _close(reading, pending, sentence)
                _close(reading, [option], False)
                pending, sentence = [], False
        elif match[0] in HARD or match[0] in SOFT or _dash(text, start):
            if pending:
                _close(reading, pending, sentence)
                pending, sentence = [], False
            sentence = sentence or match[0] in HARD
    _close(reading, pending, sentence)
    reading.gone = [False] * len(reading.words)
    return reading


def _dash(text: str, at: int) -> bool:
    return text[at] == "-" and text[at - 1 : at + 2].strip() == "-"


def _phrases(first: str, second: str) -> list[tuple[tuple[str, ...], int]]:
    """Known phrases that begin with two words, longest first; the second may be a plural."""
    found = PHRASES.get((first, second), [])
    singular = PHRASES.get((first, second[:-1])) if second.endswith("s") else None
    return sorted(singular + found, key=lambda phrase: -len(phrase[0])) if singular else found


def _close(reading: Reading, pending: list[tuple[str, int, int, int]], sentence: bool) -> None:
    """Add a segment's words, those that make a known phrase as one unit."""
    if not pending:
        return
    first, k, count = len(reading.words), 0, len(pending)
    while k < count:
        low, bits, start, end = pending[k]
        taken = 1
        for parts, of_phrase in _phrases(low, pending[k + 1][0]) if k + 1 < count else ():
            n = len(parts)
            if k + n > count:
                continue
            last = pending[k + n - 1][0]
            if last in (parts[-1], parts[-1] + "s") and all(pending[k + j][0] == parts[j] for j in range(1, n - 1)):
                low, bits, end, taken = " ".join(parts), of_phrase, pending[k + n - 1][3], n
                break
        reading.words.append(low)
        reading.bits.append(bits)
        reading.starts.append(start)
        reading.ends.append(end)
        k += taken
    reading.segments.append((first, len(reading.words), sentence))
