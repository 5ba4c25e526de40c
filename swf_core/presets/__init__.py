"""The presets of the transfer as data: what each is, from where, and with which values. Read without torch."""

from .entry import Preset
from .few_steps import FEW_STEPS, FewSteps
from .own import FINE_DETAIL, OWN, fine_detail_of
from .published import PUBLISHED

# The nodes' combo begins with these in this order, and names are only appended.
_FIRST = ("wallfacer", "styleid", "adain", "faithful", "free")
_LAST = ("fast preview",)
_ALL = OWN | PUBLISHED
_MIDDLE = tuple(name for name in _ALL if name not in (*_FIRST, *_LAST))
ENTRIES: dict[str, Preset] = {name: _ALL[name] for name in (*_FIRST, *_MIDDLE, *_LAST)}
PRESETS = tuple(ENTRIES)

__all__ = ["ENTRIES", "FEW_STEPS", "FINE_DETAIL", "PRESETS", "FewSteps", "Preset", "fine_detail_of"]
