"""Small batches: files, a worker that copies them, fails or dies, and what came of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from swf_core.batch import Batch, Group, Outcome, pair_up, plan
from swf_core.errors import UserError


class Copier:
    """A worker that writes each content and seed into its file. Contents named "die" end the process, as long as the
    file `once` is not there; those named "bad" raise."""

    def __init__(self, once: Path | None = None):
        self.once = once

    def __call__(self, group: Group) -> Sequence[Outcome]:
        outcomes = []
        for job in group.jobs:
            if "die" in job.content.name and not (self.once and self.once.exists()):
                if self.once:
                    self.once.touch()
                os._exit(3)
            if "bad" in job.content.name:
                raise ZeroDivisionError("no such number")
            assert job.out is not None
            job.out.write_bytes(job.content.read_bytes() + str(job.seed).encode())
            outcomes.append(Outcome.of(job, group.number, 0.0))
        return outcomes


def refuse() -> Callable[[Group], Sequence[Outcome]]:
    raise UserError("There is no model.")


def files(folder: Path, *names: str) -> list[Path]:
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_text(name)
    return [folder / name for name in names]


def batch_of(contents: list[Path], out: Path, largest: int = 2) -> Batch:
    out.mkdir(exist_ok=True)
    pairs = pair_up(contents, [contents[0]], "each")
    outs = [out / f"{content.stem}.txt" for content in contents]
    return plan(pairs, outs, lambda path: (8, 8), {"a": 1}, seed=7, largest=largest)


def results(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.txt"))}
