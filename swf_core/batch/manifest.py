"""The record of a batch beside its results: the plan, and a line of JSON for every job that ended.

A line is written when its job ends, so a run that is killed loses at most the group it was at. Lines that a kill cut in
half are left out.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ..errors import UserError
from ..files import explain, write_files
from .jobs import Batch, Group, Job, Outcome, file_digests

NAME = "manifest.jsonl"
_VERSION = 1


class Manifest:
    """The file `manifest.jsonl` in a folder: first the plan, then outcomes. Paths are kept as they were given."""

    def __init__(self, folder: Path):
        self.path = folder / NAME

    def exists(self) -> bool:
        """Whether a batch was begun here."""
        return self.path.is_file()

    def begin(self, batch: Batch, outcomes: Iterable[Outcome] = ()) -> None:
        """Write the plan, and outcomes that still count, in place of what stood here."""
        lines = [_plan_row(batch), *(outcome.row() for outcome in outcomes)]
        write_files({self.path: "".join(_line(row) for row in lines).encode()})

    def add(self, outcomes: Iterable[Outcome]) -> None:
        """Add the outcomes of a group; they are on the disk when this returns."""
        data = "".join(_line(outcome.row()) for outcome in outcomes).encode()
        try:
            with open(self.path, "ab") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise explain(error, self.path) from error

    def plan(self) -> Batch:
        """The plan that was frozen here. Raises UserError where the file holds none."""
        rows = self._rows()
        if not rows or "groups" not in rows[0] or rows[0].get("version") != _VERSION:
            raise UserError(f"'{self.path}' is no record of a batch; move it away, or choose another --out.")
        first = rows[0]
        groups = [
            Group(
                number,
                tuple(
                    Job(
                        job["index"],
                        Path(job["content"]),
                        tuple(Path(style) for style in job["styles"]),
                        job["seed"],
                        None if job["out"] is None else Path(job["out"]),
                    )
                    for job in jobs
                ),
            )
            for number, jobs in enumerate(first["groups"])
        ]
        return Batch(tuple(groups), first["settings"], first["threads"])

    def outcomes(self) -> dict[int, Outcome]:
        """The last outcome of each job, by index."""
        rows = [row for row in self._rows() if "error" in row]
        return {row["index"]: _outcome(row) for row in rows}

    def _rows(self) -> list[dict[str, Any]]:
        rows = []
        for line in self.path.read_bytes().split(b"\n"):
            try:
                row = json.loads(line)
            except ValueError:  # cut in half by a kill
                continue
            if isinstance(row, dict):
                rows.append(row)
        return rows


def _outcome(row: dict[str, Any]) -> Outcome:
    return Outcome(**{**row, "styles": tuple(row["styles"]), "read": tuple(row["read"])})


def still_counts(job: Job, outcome: Outcome | None) -> bool:
    """Whether what was done is there, and was made from what the files hold now."""
    if outcome is None or outcome.error is not None or outcome.read != file_digests(job):
        return False
    return job.out is None or job.out.is_file()


def _plan_row(batch: Batch) -> dict[str, Any]:
    groups = [
        [
            {
                "index": job.index,
                "content": str(job.content),
                "styles": [str(style) for style in job.styles],
                "seed": job.seed,
                "out": None if job.out is None else str(job.out),
            }
            for job in group.jobs
        ]
        for group in batch.groups
    ]
    return {"version": _VERSION, "settings": batch.settings, "threads": batch.threads, "groups": groups}


def _line(row: dict[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n"
