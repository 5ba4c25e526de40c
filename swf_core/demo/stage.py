"""What every stage of the demo is given, and how its pages become one sheet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from PIL import Image

from ..measure.metrics.classifier import SceneClassifier
from ..models.contracts import Backend
from ..transfer import TransferOptions, preset

# Makes the bar of a stage from its name: a callback of a value in 0..1.
Bars = Callable[[str], Callable[..., None]]
# A page, or None where there is nothing to show, and the stage's part of the report.
Result = tuple[Image.Image | None, Any]


def no_bars(name: str) -> Callable[..., None]:
    """Bars that show nothing."""
    return lambda value, *text: None


@dataclass(frozen=True)
class Stage:
    """The embedded model, the scene classifier, the seed, and where progress goes."""

    backend: Backend
    classifier: SceneClassifier
    seed: int
    bars: Bars

    @cached_property
    def options(self) -> TransferOptions:
        """The default transfer at the pictures' own size."""
        return replace(preset("wallfacer", self.backend), size_px=0)


def stacked_pages(pages: Sequence[Image.Image | None]) -> Image.Image:
    """Pages below each other on white."""
    present = [page for page in pages if page is not None]
    sheet = Image.new("RGB", (max(page.width for page in present), sum(page.height for page in present)), "white")
    top = 0
    for page in present:
        sheet.paste(page, (0, top))
        top += page.height
    return sheet
