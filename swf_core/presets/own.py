"""Our own presets; their values depend on the model and stand in `transfer.presets`."""

from __future__ import annotations

from .entry import Preset

OWN = {
    "wallfacer": Preset("our own, the default: what suits the model best"),
    "faithful": Preset("the content's drawing first; --freedom moves it towards free in even steps"),
    "free": Preset("the style first: from noise, under the content's layout alone"),
}
