"""Palettes as a person writes them: colors to move to, or the picture's own with what becomes of each."""

from __future__ import annotations

import re

from ..errors import UserError
from .palette import Palette, parse, pieces_of


def read_palette(text: str) -> tuple[Palette | None, Palette]:
    """(the colors they were edited from, or None; the colors to have) of "navy, gold" or "#a63f1b -> navy, #eee".

    Where any piece has an arrow, a piece without one is a color that stays.
    Raises ValueError (UserError) naming the first piece that is no color.
    """
    pieces = pieces_of(text)
    if not any("->" in piece for piece in pieces):
        return None, parse(text)
    before, after = [], []
    for piece in pieces:
        left, arrow, right = (part.strip() for part in piece.partition("->"))
        if arrow and not (left and right):
            raise UserError(f"{piece!r} has a color on one side of the arrow only; write: #a63f1b -> navy.")
        before.append(_bare(left))
        after.append(_bare(right) if arrow else _bare(left))
    return parse(before), parse(after)


def written(palette: Palette) -> str:
    """A palette as text that `read_palette` reads: "#a63f1b 27.3%, ..."."""
    if palette.shares is None:
        return ", ".join(palette.codes)
    percent = (palette.shares / palette.shares.sum() * 100).tolist()
    return ", ".join(f"{code} {share:.1f}%" for code, share in zip(palette.codes, percent))


def _bare(piece: str) -> str:
    """Without a share: what a color becomes has as much of the picture as it had."""
    return re.sub(r"\s+[\d.]+\s*%$", "", piece)
