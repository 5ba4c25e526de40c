"""The names under which a page asks for training runs: random tokens, never paths."""

from __future__ import annotations

import contextlib
import secrets
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any


class RunTokens:
    """Tokens of runs; they live as long as the server. Safe to use from several threads.

    `root`: the folder of an owner's runs, by the owner's name; whose a run is follows from where it lies.
    """

    def __init__(self, root: Callable[[str], Path]):
        self.root = root
        self._lock = threading.Lock()
        self._folders: dict[str, Path] = {}

    def token(self, folder: Path) -> str:
        """The token of a run's folder, the same each time."""
        with self._lock:
            for token, known in self._folders.items():
                if known == folder:
                    return token
            token = secrets.token_urlsafe(16)
            self._folders[token] = folder
            return token

    def folder(self, token: str, owner: str = "") -> Path | None:
        """The run's folder; None for a token that this server never gave, a run of another owner, and one that is
        gone."""
        with self._lock:
            folder = self._folders.get(token)
        if folder is None or folder.parent != self.root(owner):
            return None
        return folder if (folder / "run.json").is_file() else None

    def runs(self, owner: str = "", limit: int = 200) -> list[dict[str, Any]]:
        """The newest runs of an owner, the one that was worked on last first: token, name, and when it changed in Unix
        seconds."""
        root = self.root(owner)
        runs = []
        for file in root.glob("*/run.json") if root.is_dir() else ():
            if not file.parent.name.startswith("."):
                runs.append((_changed_at(file.parent), file.parent))
        runs.sort(key=lambda pair: -pair[0])
        return [{"token": self.token(f), "name": f.name, "changed": round(at)} for at, f in runs[:limit]]


def _changed_at(folder: Path) -> float:
    times = [0.0]
    for name in ("run.json", "picks.json", "signals.json"):
        with contextlib.suppress(OSError):  # not there yet, or removed at this moment
            times.append((folder / name).stat().st_mtime)
    return max(times)
