"""A run as a graph passes it on: trained so far, with these picks. Going on from there is always the same run.

A node that trains on may be asked again with other picks or steps, after the run has gone further. What was made then
stays as it is: the run is copied as it stood at that step, under the next free name, and goes on from there.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from ..errors import UserError
from ..files import umask, write_text
from ..models.contracts import Backend
from . import checkpoint
from .picks import FILE as PICKS
from .picks import read as read_picks
from .run import Run, open_run, read_json


@dataclass(frozen=True)
class Stage:
    """A run's folder, the step at which a round of it ended, and what the next round takes in: ids and captions."""

    folder: Path
    step: int
    picks: tuple[tuple[str, str], ...] = ()

    @property
    def name(self) -> str:
        """What the run is called."""
        return self.folder.name


def go_on(stage: Stage, backend: Backend, steps: int, **changes: Any) -> tuple[Run, int]:
    """The run with a round of `steps` more planned after the stage, and the step at which that round ends.

    The same stage, steps and changes find the same run, finished or not. Raises UserError for another model's run, for
    options that cannot change, and when the state at that step was not kept.
    """
    base = open_run(stage.folder, backend)
    before = rounds_until(base, stage.step)

    def fitting(folder: Path) -> Run | None:
        if not folder.exists():
            fork(base, stage.step, folder)
        elif not (folder / "run.json").exists():
            return None
        run = open_run(folder)
        if not _same_until(run, base, before):
            return None
        wanted = run.planned(stage.step, steps, dict(stage.picks), changes)
        if len(run.rounds) == before:
            run.rounds.append(wanted)
            run.save()
        return run if run.rounds[before] == wanted else None

    return next(filter(None, map(fitting, _folders(base)))), stage.step + steps


def _folders(run: Run) -> Iterator[Path]:
    """Where a run may go on: its own folder, then the same name with 2, 3, ... behind it."""
    front, _, number = run.folder.name.rpartition(" ")
    copied = number.isdigit() and (run.folder.parent / front / "run.json").exists()
    name = front if copied else run.folder.name
    yield run.folder
    yield from (f for n in count(2) if (f := run.folder.parent / f"{name} {n}") != run.folder)


def rounds_until(run: Run, step: int) -> int:
    """How many rounds of a run end by a step. Raises UserError when no round ends there."""
    ends = [r["first"] + r["steps"] for r in run.rounds]
    if step not in ends:
        raise UserError(f"No round of the run '{run.folder.name}' ends at step {step}; they end at {ends}.")
    return ends.index(step) + 1


def fork(run: Run, step: int, folder: Path) -> None:
    """Copy a run as it stood when the round that ends at `step` was done; whole or not at all."""
    kept = checkpoint.kept(run.folder, step)
    if not kept.exists():
        raise UserError(
            f"The run '{run.folder.name}' has gone past step {step} and its state there was not kept; begin a new run."
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=".fork.", dir=folder.parent))
    try:
        shutil.copytree(run.folder / "data", made / "data")
        checkpoint.put_back(kept, made)
        for source in (run.folder / "loras").glob("step_*.safetensors"):
            if int(source.stem.removeprefix("step_")) <= step:
                (made / "loras").mkdir(exist_ok=True)
                shutil.copy2(source, made / "loras" / source.name)
        samples = [r for r in run.records("samples") if r["step"] <= step]
        for record in samples:
            (made / "samples").mkdir(exist_ok=True)
            shutil.copy2(run.folder / "samples" / record["file"], made / "samples" / record["file"])
        for name, found in (("samples", samples), ("signals", run.records("signals"))):
            write_text(made / f"{name}.json", json.dumps([r for r in found if r["step"] <= step], ensure_ascii=False))
        write_text(made / PICKS, json.dumps(_picks_until(run, {r["id"] for r in samples}, step), ensure_ascii=False))
        told = read_json(run.folder / "run.json")
        told |= {"rounds": run.rounds[: rounds_until(run, step)], "chosen": None}
        write_text(made / "run.json", json.dumps(told, indent=1, ensure_ascii=False))
        os.chmod(made, 0o777 & ~umask())
        os.replace(made, folder)
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise


def _picks_until(run: Run, there: set[str], step: int) -> dict[str, Any]:
    """What is said of the samples that are `there`."""
    told = read_picks(run.folder)
    return told | {
        "accepted": [i for i in told["accepted"] if i in there],
        "rejected": [i for i in told["rejected"] if i in there],
        "captions": {i: c for i, c in told["captions"].items() if i in there},
        "answered": [s for s in told["answered"] if s <= step],
    }


def _same_until(run: Run, base: Run, rounds: int) -> bool:
    def told(r: Run) -> tuple[Any, ...]:
        return r.model, r.options, [(i.id, i.caption, i.share) for i in r.items], r.prompts, r.rounds[:rounds]

    return told(run) == told(base)
