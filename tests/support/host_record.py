"""What the host tests depend on: the digest of nodes/ and web/, and whether the record of their last run is of it."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RESULT = ROOT / "docs" / "host-tests.txt"
WARNING = "nodes/ or web/ changed after the last `make test-host`; a release needs it run again."


def digest() -> str:
    """sha256 over names and bytes of everything in nodes/ and web/, line ends as in the repository."""
    hashed = hashlib.sha256()
    paths = [p for folder in ("nodes", "web") for p in (ROOT / folder).rglob("*")]
    for path in sorted(p for p in paths if p.is_file() and "__pycache__" not in p.parts):
        hashed.update(path.relative_to(ROOT).as_posix().encode())
        hashed.update(path.read_bytes().replace(b"\r\n", b"\n"))
    return hashed.hexdigest()[:16]


def is_fresh(record: str) -> bool:
    """Whether the record is of nodes/ and web/ as they are."""
    return digest() in "".join(record.splitlines()[2:3])


def failures(record: str) -> list[str]:
    """What did not pass in the recorded run, a line each."""
    lines = record.splitlines()
    last = lines[-1] if lines else "the record is empty"
    failed = [line for line in lines if re.match(r"(FAILED|ERROR|SKIPPED)\b", line)]
    if not re.fullmatch(r"\d+ passed(, \d+ deselected)?.*", last) or "failed" in last:
        failed.append(last)
    return failed


if __name__ == "__main__":  # the last line of `make test`
    if not is_fresh(RESULT.read_text(encoding="utf-8")):
        print(f"Warning: {WARNING}")
