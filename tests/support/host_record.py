"""What the host tests depend on: the digest that tells whether nodes/ or web/ changed since they last ran."""

from __future__ import annotations

import hashlib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RESULT = ROOT / "docs" / "host-tests.txt"


def digest() -> str:
    """sha256 over names and bytes of everything in nodes/ and web/, line ends as in the repository."""
    found = hashlib.sha256()
    paths = [p for folder in ("nodes", "web") for p in (ROOT / folder).rglob("*")]
    for path in sorted(p for p in paths if p.is_file() and "__pycache__" not in p.parts):
        found.update(path.relative_to(ROOT).as_posix().encode())
        found.update(path.read_bytes().replace(b"\r\n", b"\n"))
    return found.hexdigest()[:16]
