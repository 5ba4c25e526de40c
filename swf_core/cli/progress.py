"""Progress on stderr: tqdm bars made from the core's progress callbacks (value in 0..1, preview or None)."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any


class Bars:
    """Bars by name: `bars("transfer")` is a callback for the core."""

    def __init__(self):
        self._open: dict[str, Any] = {}

    def __call__(self, name: str) -> Callable[..., None]:
        """Return a callback `(value, note or preview)` that moves the bar of this name; a text is shown behind it."""

        def progress(value: float, note: Any = None) -> None:
            bar = self._open.get(name)
            if bar is None:
                from tqdm import tqdm

                bar = self._open[name] = tqdm(
                    total=100,
                    desc=name,
                    file=sys.stderr,
                    dynamic_ncols=True,
                    bar_format="{l_bar}{bar}| {elapsed}, {remaining} left{postfix}",
                )
            if isinstance(note, str):
                bar.set_postfix_str(note, refresh=False)
            bar.update(max(0.0, min(1.0, value)) * 100 - bar.n)
            if value >= 1.0:
                self._open.pop(name).close()

        return progress

    def say(self, sentence: str) -> None:
        """Print a sentence on stderr, behind the bars so far."""
        self.close()
        print(sentence, file=sys.stderr, flush=True)

    def close(self) -> None:
        """Close whatever a failure left open."""
        for bar in self._open.values():
            bar.close()
        self._open.clear()


class NoBars(Bars):
    """Bars that show and say nothing: of a worker, whose batch has its own."""

    def __call__(self, name: str) -> Callable[..., None]:
        """Return a callback that does nothing."""
        return lambda value, note=None: None

    def say(self, sentence: str) -> None:
        """Say nothing."""
