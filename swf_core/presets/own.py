"""Our own presets; their values depend on the model and stand in `transfer.presets`."""

from __future__ import annotations

from .entry import Preset

# Chosen on real pictures and on tuning pairs (docs/figures.md).
FINE_DETAIL = 0.5

OWN = {
    "wallfacer": Preset("our own, the default: what suits the model best"),
    "faithful": Preset("the content's drawing first; --freedom moves it towards free in even steps"),
    "free": Preset("the style first: from noise, under the content's layout alone"),
    "fast preview": Preset("a look in 8 steps; with words from the pictures nearer to the truth than styleid in 50"),
}


def fine_detail_of(name: str) -> float:
    """How much of the content's fine detail (`swf_core.color.fine_detail`) a preset's results get where nobody says:
    our own `FINE_DETAIL`, a published way none, for it stands as it was published."""
    return FINE_DETAIL if name in OWN else 0.0
