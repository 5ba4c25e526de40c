"""Prompts read from pairs of pictures by the embedded captioner, its errors included, as `--prompt auto` reads them."""

from __future__ import annotations

from collections.abc import Sequence

from ...words.caption import load_captioner
from ...words.clip import load_clip
from ...words.picture_words import WordReader, auto_prompts
from ..benches.context import Bar
from ..metrics.pairs import Pair


class PictureReader:
    """Reads prompts from content and style picture. The models are loaded when it is first asked."""

    def __init__(self, bar: Bar):
        self._bar = bar

    def __call__(self, pairs: Sequence[Pair]) -> list[str]:
        reader = WordReader(load_captioner("mini"), load_clip("mini"))
        contents, styles = [pair.content for pair in pairs], [pair.style for pair in pairs]
        return auto_prompts(reader, contents, styles, lambda value: self._bar(value, "captions"))
