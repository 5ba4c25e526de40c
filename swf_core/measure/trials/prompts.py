"""The words of a trial's arms: none, the truth's own caption, or what is read from the two pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ...errors import UserError
from ...world import caption
from ..metrics.pairs import Pair
from .arms import AUTO_WORDS, NO_WORDS, SAID_WORDS, WORDS

# Reads prompts for pairs from their contents and style pictures alone.
Reader = Callable[[Sequence[Pair]], list[str]]


class Prompts:
    """Prompts by source of words. `reader` is asked once for each set of pairs, and only if an arm wants it."""

    def __init__(self, reader: Reader):
        self._reader = reader
        self._read: list[str] = []

    def of(self, words: str, pairs: Sequence[Pair]) -> list[str]:
        """One prompt a pair. A longer list of pairs begins with a shorter one's.

        Raises UserError for a source that is not one of `WORDS`.
        """
        if words == NO_WORDS:
            return [""] * len(pairs)
        if words == SAID_WORDS:
            return [caption(pair.scene, pair.look) for pair in pairs]
        if words == AUTO_WORDS:
            if len(pairs) > len(self._read):
                self._read += self._reader(pairs[len(self._read) :])
            return self._read[: len(pairs)]
        raise UserError(f"Words {words!r} are unknown; use one of {', '.join(map(repr, WORDS))}.")
