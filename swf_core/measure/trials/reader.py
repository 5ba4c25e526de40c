"""Prompts read from pairs of pictures by the embedded captioner, its errors included, as `--prompt auto` reads them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from torch import Tensor

from ...words.caption import load_captioner
from ...words.clip import load_clip
from ...words.picture_words import PictureWords, WordReader, auto_prompts
from ..benches.context import Bar
from ..metrics.pairs import Pair


class PictureReader:
    """Reads prompts from content and style picture. The models are loaded when it is first asked."""

    def __init__(self, bar: Bar):
        self._bar = bar

    @cached_property
    def _reader(self) -> WordReader:
        return WordReader(load_captioner("mini"), load_clip("mini"))

    def __call__(self, pairs: Sequence[Pair]) -> list[str]:
        contents, styles = [pair.content for pair in pairs], [pair.style for pair in pairs]
        return auto_prompts(self._reader, contents, styles, lambda value: self._bar(value, "captions"))

    def words_of(self, picture: Tensor) -> PictureWords:
        """What is read of one picture [3, H, W] in 0..1."""
        return self._reader.words_of(picture)
