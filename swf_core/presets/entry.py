"""One preset as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Preset:
    """A named set of values of the whole transfer.

    * line: what it is, for a help text.
    * source: the paper, and whose code was read for what the paper leaves out; "" for our own.
    * published: its settings as published, in words.
    * departs: what is otherwise here, and why.
    * values: of `TransferOptions` and of `Injection`, by the fields' own names; what is not named keeps its default;
      `calibration` by the names of its own.
      `layers` "late" is "all" on a model that has no such preset of layers.
    * window: between which shares of the schedule anything is injected, 0 its noisy end.
    * evaluations: E of one content and one style without guidance by text, as the meter counts it.
    """

    line: str
    source: str = ""
    published: str = ""
    departs: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    window: tuple[float, float] = (0.0, 1.0)
    evaluations: int | None = None
