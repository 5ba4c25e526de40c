"""Being asked to stop: by Ctrl-C, or by the signals with which a system or a closed terminal ends a process.

Each raises where the work stands, so that files under temporary names go and locks are given back on the way out.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

# Those that this system has: SIGHUP is not on Windows, SIGBREAK only there.
SIGNALS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name))


class Terminated(KeyboardInterrupt):
    """A signal other than Ctrl-C's."""

    def __init__(self, number: int):
        super().__init__(number)
        self.number = number


def exit_code(stop: KeyboardInterrupt) -> int:
    """130 for Ctrl-C, 143 for SIGTERM: 128 and the signal's number, as shells say it."""
    return 128 + (stop.number if isinstance(stop, Terminated) else int(signal.SIGINT))


def raise_for(number: int) -> None:
    """Raise what a signal means."""
    raise KeyboardInterrupt if number == signal.SIGINT else Terminated(number)


@contextmanager
def handled(numbers: tuple[int, ...], handler: Callable[[int, Any], None]) -> Iterator[None]:
    """Have these signals handled for a while; one that is ignored (nohup) stays so, but for Ctrl-C's, which shells
    ignore for what they start in the background. Threads other than the main one change nothing."""
    before: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        before = {n: old for n in numbers if (old := signal.getsignal(n)) is not None}
        before = {n: old for n, old in before.items() if n == signal.SIGINT or old != signal.SIG_IGN}
    for number in before:
        signal.signal(number, handler)
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)


def stoppable() -> Any:
    """A context in which the signals raise `Terminated`."""
    return handled(SIGNALS, lambda number, _: raise_for(number))


class BetweenSteps:
    """A context in which a stop waits for the end of a step, so that a checkpoint is of that very step; a second one
    comes at once. `echo_s`: for so many seconds others are the same one again: a launcher hands on what its processes
    have heard from the terminal themselves."""

    def __init__(self, echo_s: float = 0.0):
        self._requested, self._echo_s, self._since = 0, echo_s, 0.0
        self._handlers = handled((signal.SIGINT, *SIGNALS), self._request)

    def __enter__(self) -> BetweenSteps:
        self._handlers.__enter__()
        return self

    def _request(self, number: int, _: Any) -> None:
        now = time.monotonic()
        if self._requested and now - self._since >= self._echo_s:
            raise_for(number)
        if not self._requested:
            self._requested, self._since = number, now

    def check(self) -> None:
        """Raise KeyboardInterrupt when a stop was asked for."""
        if self._requested:
            raise_for(self._requested)

    def __exit__(self, *error: Any) -> None:
        self._handlers.__exit__(*error)
