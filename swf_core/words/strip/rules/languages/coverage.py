"""Clauses of languages without blanks: whether known words cover one from end to end."""

from __future__ import annotations

import re
from collections.abc import Collection, Set
from dataclasses import dataclass

from ..lexicon import look_up
from ..tags import STYLE

# No clause of style is longer; what is would take its time.
_LONGEST_CLAUSE = 120
_LATIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+\-_/:]*")


@dataclass(frozen=True)
class Cover:
    """The words by which a clause is covered.

    * strong: words of style; of these `faint` never decide, and `weak` do not where they are the whole clause.
    * filler: words that say nothing by themselves.
    """

    strong: Set[str]
    filler: Set[str]
    weak: Collection[str]
    faint: Collection[str]
    longest: int

    def covers(self, text: str) -> bool:
        """Whether words of style and fillings cover a clause, with one of style among them."""
        if len(text) > _LONGEST_CLAUSE:
            return False
        # Which ends can be reached, and whether by way of a word of style.
        reach: list[int] = [0] * (len(text) + 1)
        reach[0] = 1
        low = text.lower()
        for at in range(len(text)):
            if not reach[at]:
                continue
            if low[at].isspace():
                reach[at + 1] |= reach[at]
            if (m := _LATIN.match(text, at)) and not (at and _LATIN.match(text[at - 1])):
                if look_up(m[0])[1] & STYLE:
                    reach[m.end()] |= 2
                elif m[0].isdigit():
                    reach[m.end()] |= reach[at]
            for size in range(1, min(self.longest, len(text) - at) + 1):
                word = low[at : at + size]
                if word in self.strong:
                    weak = word in self.weak and size == len(text)
                    reach[at + size] |= reach[at] if weak or word in self.faint else 2
                elif word in self.filler:
                    reach[at + size] |= reach[at]
        return bool(reach[-1] & 2)


def cover(strong: Set[str], filler: Set[str], weak: Collection[str], faint: Collection[str]) -> Cover:
    """A `Cover` of these words."""
    return Cover(strong, filler, frozenset(weak), frozenset(faint), max(map(len, strong | filler)))
