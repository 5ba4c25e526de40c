"""What every bench is given and what it returns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ...features import Features, load_features
from ...models import load
from ...models.contracts import Backend
from ..metrics.classifier import SceneClassifier, load_classifier
from .real_pictures import RealPictures

# Called with a value in 0..1 and, if there is one, a word on what was done.
Bar = Callable[..., None]
# The report, and the pages by what follows the bench's name in the name of their file.
BenchResult = tuple[dict[str, Any], dict[str, Any]]


def no_bar(value: float, *text: str) -> None:
    """A bar that shows nothing."""


@dataclass(frozen=True)
class BenchContext:
    """How a bench is run. Model and classifier are loaded when a bench first asks for them.

    * out: the folder of tables that a stopped bench continues from.
    * quick: a sixth of the pictures. `tune`: on the pairs for tuning, over a grid of settings.
    * seed, seeds: the first seed, and how many of the benches that run with several; None: the bench's own number.
    * real: the pictures of `bench real`, and the source of features.
    """

    out: Path
    model: str = "mini"
    quick: bool = False
    tune: bool = False
    seed: int = 0
    bar: Bar = no_bar
    seeds: int | None = None
    real: RealPictures = RealPictures()

    @cached_property
    def backend(self) -> Backend:
        """The model that is measured."""
        return load(self.model)

    @cached_property
    def classifier(self) -> SceneClassifier:
        """The shipped scene classifier."""
        return load_classifier()

    @cached_property
    def features(self) -> Features:
        """The perceptual features that distances are taken by, beside those to the truth."""
        return load_features(self.real.features)

    def share_of(self, count: int) -> int:
        """`count`, or a sixth of it when the bench is quick."""
        return count // 6 if self.quick else count

    def seed_range(self, default: int) -> tuple[int, ...]:
        """The seeds to run with, `default` of them where no number was given."""
        count = default if self.seeds is None else self.seeds
        return tuple(range(self.seed, self.seed + count))
