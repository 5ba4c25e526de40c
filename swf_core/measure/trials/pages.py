"""A trial's pages: chosen arms side by side, and the sheet of one preset with and without words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...pictures import sheet
from .arms import WORDS, arm_name
from .engine import SHEET_PAIRS, Trial, kept_picture

CELL_PX, WIDE = 112, 9


def arms_page(out: Path, trial: Trial, arms: Sequence[str]) -> Any:
    """Content, style picture, these arms and the truth, a row a pair; a gap where a picture is no longer kept."""
    pairs = trial.pairs[:SHEET_PAIRS]
    rows = [
        [pair.content, pair.style, *(kept_picture(out, trial.name, arm, number) for arm in arms), pair.truth]
        for number, pair in enumerate(pairs)
    ]
    cell_px = CELL_PX if len(arms) <= WIDE else 96
    return sheet(rows, ["content", "style", *arms, "truth"], [pair.look.style for pair in pairs], cell_px=cell_px)


def preset_pages(out: Path, trial: Trial, presets: Sequence[str]) -> dict[str, Any]:
    """The sheet of each preset, by what follows the bench's name in the name of the file."""
    pages: dict[str, Any] = {}
    for preset in presets:
        arms = [name for words in WORDS if (name := arm_name(preset, words)) in trial.arms]
        if arms:
            pages[f"-{preset}"] = arms_page(out, trial, arms)
    return pages
