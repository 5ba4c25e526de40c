"""A run at a step of it, as a graph passes it on with picks, and the run that continues from there.

A node that trains on may run again with other picks or steps, after the run has gone further. What was trained then
stays as it is: the run is copied as it stood at that step, under the next free name, and the copy is trained.
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
from ..files import explain, umask, write_text
from ..models.contracts import Backend
from . import checkpoint, run_files
from .locks import training_lock
from .picks import FILE as PICKS
from .picks import read_picks
from .run import Run, open_run


@dataclass(frozen=True)
class RunAt:
    """A run's folder, the step at which a round of it ended, and what the next round takes in: ids and captions."""

    folder: Path
    step: int
    picks: tuple[tuple[str, str], ...] = ()

    @property
    def name(self) -> str:
        """What the run is called."""
        return self.folder.name


def resume(run_at: RunAt, backend: Backend, steps: int, **changes: Any) -> tuple[Run, int]:
    """The run with a round of `steps` more planned after that step, and the step at which that round ends.

    The same run, step, picks, steps and changes find the same run, finished or not. Raises UserError for another
    model's run, for options that cannot change, and when no checkpoint of that step was kept.
    """
    base = open_run(run_at.folder, backend)
    before = rounds_until(base, run_at.step)

    def matching(folder: Path) -> Run | None:
        if not folder.exists():
            fork(base, run_at.step, folder)
        elif not (folder / "run.json").exists():
            return None
        run = open_run(folder)
        if not _same_until(run, base, before):
            return None
        planned = run.plan_round(run_at.step, steps, dict(run_at.picks), changes)
        if len(run.rounds) == before:
            with training_lock(folder):
                run = open_run(folder)  # as it is now that nobody else plans
                if len(run.rounds) == before:
                    run.rounds.append(planned)
                    run.save()
        return run if as_planned(run.rounds[before]) == planned else None

    return next(filter(None, map(matching, _folders(base)))), run_at.step + steps


def _folders(run: Run) -> Iterator[Path]:
    """Where a run may be continued: its own folder, then the same name with 2, 3, ... behind it."""
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
    saved = checkpoint.checkpoint_path(run.folder, step)
    if not saved.exists():
        raise UserError(
            f"The run '{run.folder.name}' has gone past step {step} and its state there was not kept; begin a new run."
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    copy = Path(tempfile.mkdtemp(prefix=".fork.", dir=folder.parent))
    try:
        (copy / "data").mkdir()
        for item in run.items:
            source = run_files.original_path(run.folder, item.id)
            shutil.copy2(source, copy / "data" / source.name)
        checkpoint.restore_checkpoint(saved, copy)
        for saved_step in run.saved_steps():
            if saved_step <= step:
                source = run_files.inside(run.folder, run.lora_path(saved_step))
                (copy / "loras").mkdir(exist_ok=True)
                shutil.copy2(source, copy / "loras" / source.name)
        samples = [r for r in run.records("samples") if r["step"] <= step]
        for sample in samples:
            (copy / "samples").mkdir(exist_ok=True)
            shutil.copy2(run_files.sample_path(run.folder, sample), copy / "samples" / sample["file"])
        write_text(copy / "samples.json", json.dumps(samples, ensure_ascii=False))
        signals = run_files.readable(run.folder, "signals")
        if signals is not None:
            signals = [r for r in signals if r["step"] <= step]
            write_text(copy / "signals.json", json.dumps(signals, ensure_ascii=False))
        elif (run.folder / "signals.json").exists():
            write_text(copy / "signals.json", "damaged")  # so that the copy, too, measures them again
        write_text(copy / PICKS, json.dumps(_picks_until(run, {r["id"] for r in samples}, step), ensure_ascii=False))
        record = run_files.read_run(run.folder)
        record |= {"rounds": run.rounds[: rounds_until(run, step)], "chosen": None}
        write_text(copy / "run.json", json.dumps(record, indent=1, ensure_ascii=False))
        os.chmod(copy, 0o777 & ~umask())
        os.replace(copy, folder)
    except BaseException as error:
        shutil.rmtree(copy, ignore_errors=True)
        if isinstance(error, OSError):
            raise explain(error, folder) from error
        raise


def _picks_until(run: Run, ids: set[str], step: int) -> dict[str, Any]:
    """The content of picks.json as far as it is about the samples `ids`."""
    content = read_picks(run.folder)
    return content | {
        "accepted": [i for i in content["accepted"] if i in ids],
        "rejected": [i for i in content["rejected"] if i in ids],
        "captions": {i: c for i, c in content["captions"].items() if i in ids},
        "answered": [s for s in content["answered"] if s <= step],
    }


def as_planned(planned: dict[str, Any]) -> dict[str, Any]:
    """A round without what became of it."""
    return {name: value for name, value in planned.items() if name != "failed"}


def _same_until(run: Run, base: Run, rounds: int) -> bool:
    def first_part(r: Run) -> tuple[Any, ...]:
        planned = [as_planned(one) for one in r.rounds[:rounds]]
        return r.model, r.options, [(i.id, i.caption, i.share) for i in r.items], r.prompts, planned

    return first_part(run) == first_part(base)
