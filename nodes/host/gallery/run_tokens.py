"""The names under which a page asks for training runs: random tokens, never paths."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any


class RunTokens:
    """Tokens of the runs in one folder; they live as long as the server. Safe to use from several threads."""

    def __init__(self, root: Callable[[], Path]):
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

    def folder(self, token: str) -> Path | None:
        """The run's folder; None for a token that this server never gave, and where the run is gone."""
        with self._lock:
            folder = self._folders.get(token)
        return folder if folder is not None and (folder / "run.json").is_file() else None

    def runs(self, limit: int = 200) -> list[dict[str, Any]]:
        """The newest runs, the one that was worked on last first: token, name, and when it changed in Unix seconds."""
        root = self.root()
        runs = []
        for file in root.glob("*/run.json") if root.is_dir() else ():
            if not file.parent.name.startswith("."):
                runs.append((_changed_at(file.parent), file.parent))
        runs.sort(key=lambda pair: -pair[0])
        return [{"token": self.token(f), "name": f.name, "changed": round(at)} for at, f in runs[:limit]]


def _changed_at(folder: Path) -> float:
    files = (folder / name for name in ("run.json", "picks.json", "signals.json"))
    return max(file.stat().st_mtime for file in files if file.exists())
