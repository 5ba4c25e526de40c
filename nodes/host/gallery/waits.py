"""Nodes that wait for a person's picks: which they are, how long each waits, and how a wait ends."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

OUTCOMES = ("answered", "nobody", "closed", "timeout")
ACK_SECONDS = 15.0  # a page that shows the gallery confirms it within this time
GONE_SECONDS = 15.0  # a page that closed may be reloading
SILENT_SECONDS = 150.0  # browsers wake a hidden page's timers once a minute at least


@dataclass
class Wait:
    """A node that waits for picks among a run's samples up to `step`.

    * client: the page that queued the graph.
    * timeout: seconds that it waits at most; 0: no limit.
    * owner: whose run it is, on a host with users.
    * started, confirmed_at, closed_at: by the clock of `Waits`; when the wait began, when a page last confirmed that it
      shows the samples, and when that page closed.
    """

    folder: Path
    token: str
    node: str
    client: str
    step: int
    timeout: float
    started: float
    owner: str = ""
    id: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    confirmed_at: float | None = None
    closed_at: float | None = None
    answered: threading.Event = field(default_factory=threading.Event)

    def outcome(self, now: float) -> str:
        """One of `OUTCOMES`, or "" while there is reason to wait."""
        if self.answered.is_set():
            return "answered"
        if self.timeout and now - self.started > self.timeout:
            return "timeout"
        if self.confirmed_at is None:
            return "nobody" if now - self.started > ACK_SECONDS else ""
        if self.closed_at is not None and now - self.closed_at > GONE_SECONDS:
            return "closed"
        return "closed" if now - self.confirmed_at > SILENT_SECONDS else ""

    def payload(self, now: float) -> dict[str, Any]:
        """The wait as plain JSON for the pages."""
        seconds_left = max(0.0, self.timeout - (now - self.started)) if self.timeout else None
        return {
            "wait": self.id,
            "token": self.token,
            "node": self.node,
            "client": self.client,
            "step": self.step,
            "name": self.folder.name,
            "seconds_left": seconds_left,
        }


class Waits:
    """The waits of one server. Safe to use from several threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self.clock = clock
        self.server_id = secrets.token_urlsafe(8)  # another one shows a page that the server was restarted
        self._lock = threading.Lock()
        self._waits: dict[str, Wait] = {}

    def start(
        self, folder: Path, token: str, node: str, client: str, step: int, timeout: float, owner: str = ""
    ) -> Wait:
        """Begin a wait; `token` names the run in `folder`, which is `owner`'s."""
        wait = Wait(folder, token, node, client, step, timeout, self.clock(), owner)
        with self._lock:
            self._waits[wait.id] = wait
        return wait

    def end(self, wait: Wait) -> None:
        """Wait no longer."""
        with self._lock:
            self._waits.pop(wait.id, None)

    def payloads(self, owner: str = "") -> list[dict[str, Any]]:
        """An owner's waits of now as plain JSON, the oldest first."""
        with self._lock:
            waits = [wait for wait in self._waits.values() if wait.owner == owner]
        return [wait.payload(self.clock()) for wait in waits]

    def confirm(self, wait_id: str, is_open: bool, owner: str = "") -> bool:
        """A page reports that it shows a wait's samples, or that it closes. False when the owner has no such wait."""
        with self._lock:
            wait = self._waits.get(wait_id)
        if wait is None or wait.owner != owner:
            return False
        now = self.clock()
        if is_open:
            wait.confirmed_at, wait.closed_at = now, None
        elif wait.confirmed_at is not None:
            wait.closed_at = now
        return True

    def answer(self, folder: Path, step: int) -> int:
        """End every wait for the samples of a run up to `step` as answered; how many there were."""
        with self._lock:
            waits = [w for w in self._waits.values() if w.folder == folder and w.step == step]
        for wait in waits:
            wait.answered.set()
        return len(waits)
