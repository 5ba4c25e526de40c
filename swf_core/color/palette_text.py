"""Palettes as a person writes them: colors to move to, or the picture's own with what becomes of each."""

from __future__ import annotations

import re

from ..errors import UserError
from .palette import Palette, parse, split_colors


def read_palette(text: str) -> tuple[Palette | None, Palette]:
    """(the colors they were edited from, or None; the colors to have) of "navy, gold" or "#a63f1b -> navy, #eee".

    Where any piece has an arrow, a piece without one is a color that stays.
    Raises ValueError (UserError) naming the first piece that is no color.
    """
    pieces = split_colors(text)
    if not any("->" in piece for piece in pieces):
        return None, parse(text)
    sources, targets = [], []
    for piece in pieces:
        source, arrow, target = (part.strip() for part in piece.partition("->"))
        if arrow and not (source and target):
            raise UserError(f"{piece!r} has a color on one side of the arrow only; write: #a63f1b -> navy.")
        sources.append(_without_share(source))
        targets.append(_without_share(target) if arrow else _without_share(source))
    return parse(sources), parse(targets)


def text_of(palette: Palette) -> str:
    """A palette as text that `read_palette` reads: "#a63f1b 27.3%, ..."."""
    if palette.shares is None:
        return ", ".join(palette.codes)
    percent = (palette.shares / palette.shares.sum() * 100).tolist()
    return ", ".join(f"{code} {share:.1f}%" for code, share in zip(palette.codes, percent))


def _without_share(piece: str) -> str:
    """A color without its share: what it is edited to has as much of the picture as it had."""
    return re.sub(r"\s+[\d.]+\s*%$", "", piece)
