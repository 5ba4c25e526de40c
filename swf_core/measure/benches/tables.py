"""Tables of results as CSV: rows are written as they come, so that a bench that was stopped continues."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...files import write_text

Row = dict[str, str]


def table_path(out: Path, name: str, former: str) -> Path:
    """`out`/`name`, or the file of the bench's `former` name where only that one exists."""
    path = out / name
    return out / former if not path.exists() and (out / former).exists() else path


def read_rows(table: Path) -> list[Row]:
    """The rows of a table, none where there is no file."""
    return list(csv.DictReader(table.read_text(encoding="utf-8").splitlines())) if table.exists() else []


def as_text(row: Mapping[str, Any]) -> Row:
    """A row as it will be read back."""
    return {name: str(value) for name, value in row.items()}


def write_rows(table: Path, rows: Sequence[Row], fields: Sequence[str]) -> None:
    """Write the table whole."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fields, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(table, text.getvalue())


def mean_of(rows: Sequence[Row], name: str) -> float:
    """The mean of a column, rounded."""
    return round(sum(float(row[name]) for row in rows) / len(rows), 4)
