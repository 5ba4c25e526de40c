"""Who is waiting for picks, and by what name a page may ask for a run: tokens, never paths.

Tokens live as long as the server. Whoever waits is told what became of it in one word of `OUTCOMES`.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

OUTCOMES = ("answered", "nobody", "closed", "timeout")
ACK_SECONDS = 15.0  # a page that shows the gallery says so within this time
GONE_SECONDS = 15.0  # a page that closed may be reloading
SILENT_SECONDS = 150.0  # browsers wake a hidden page's timers once a minute at least


@dataclass
class Wait:
    """A node that waits: for the run's samples up to `step`. `seen`: when a page last said that it shows them."""

    token: str
    node: str
    client: str
    step: int
    timeout: float
    began: float
    id: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    seen: float | None = None
    gone: float | None = None
    done: threading.Event = field(default_factory=threading.Event)

    def outcome(self, now: float) -> str:
        """ "" while there is reason to wait."""
        if self.done.is_set():
            return "answered"
        if self.timeout and now - self.began > self.timeout:
            return "timeout"
        if self.seen is None:
            return "nobody" if now - self.began > ACK_SECONDS else ""
        if self.gone is not None and now - self.gone > GONE_SECONDS:
            return "closed"
        return "closed" if now - self.seen > SILENT_SECONDS else ""

    def told(self, now: float, name: str) -> dict[str, Any]:
        """What a page is told of it."""
        left = max(0.0, self.timeout - (now - self.began)) if self.timeout else None
        return {
            "wait": self.id,
            "token": self.token,
            "node": self.node,
            "client": self.client,
            "step": self.step,
            "name": name,
            "left": left,
        }


class Desk:
    """Tokens of runs and those who wait. Safe to use from several threads."""

    def __init__(self, root: Callable[[], Path], clock: Callable[[], float] = time.monotonic):
        self.root, self.clock = root, clock
        self.id = secrets.token_urlsafe(8)  # tells a page that the server was restarted
        self._lock = threading.Lock()
        self._folders: dict[str, Path] = {}
        self._waits: dict[str, Wait] = {}

    def token(self, folder: Path) -> str:
        """The token of a run's folder, the same each time."""
        with self._lock:
            for token, known in self._folders.items():
                if known == folder:
                    return token
            token = secrets.token_urlsafe(16)
            self._folders[token] = folder
            return token

    def folder(self, token: str) -> Path | None:
        """The run of a token, None for one that this server never gave, or whose run is gone."""
        with self._lock:
            found = self._folders.get(token)
        return found if found is not None and (found / "run.json").is_file() else None

    def runs(self, most: int = 200) -> list[dict[str, Any]]:
        """The runs there are, the one that was worked on last first."""
        root = self.root()
        found = []
        for file in root.glob("*/run.json") if root.is_dir() else ():
            if not file.parent.name.startswith("."):
                stamps = [
                    p.stat().st_mtime
                    for n in ("run.json", "picks.json", "signals.json")
                    if (p := file.parent / n).exists()
                ]
                found.append((max(stamps), file.parent))
        found.sort(key=lambda pair: -pair[0])
        return [{"token": self.token(f), "name": f.name, "changed": round(at)} for at, f in found[:most]]

    def wait(self, folder: Path, node: str, client: str, step: int, timeout: float) -> Wait:
        """Begin to wait, for the page `client` above all."""
        made = Wait(self.token(folder), node, client, step, timeout, self.clock())
        with self._lock:
            self._waits[made.id] = made
        return made

    def leave(self, wait: Wait) -> None:
        """Wait no longer."""
        with self._lock:
            self._waits.pop(wait.id, None)

    def waiting(self) -> list[dict[str, Any]]:
        """Who waits now."""
        with self._lock:
            found = list(self._waits.values())
        return [w.told(self.clock(), self._folders[w.token].name) for w in found]

    def hear(self, wait: str, here: bool) -> bool:
        """A page says that it shows the samples that somebody waits for, or that it closes. False: nobody does."""
        with self._lock:
            found = self._waits.get(wait)
        if found is None:
            return False
        now = self.clock()
        if here:
            found.seen, found.gone = now, None
        elif found.seen is not None:
            found.gone = now
        return True

    def answer(self, folder: Path, step: int) -> int:
        """Wake whoever waits for these samples; how many did."""
        with self._lock:
            found = [w for w in self._waits.values() if self._folders[w.token] == folder and w.step == step]
        for wait in found:
            wait.done.set()
        return len(found)
