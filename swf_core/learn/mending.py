"""Putting a run right: what a killed trainer left, records that can be made again, and a round that failed."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import torch

from ..errors import UserError
from ..files import explain, write_text
from ..models import lora_file
from ..models.contracts import Backend
from ..models.lora import Adapter
from ..pictures import load
from . import checkpoint, run_files, signals
from .latent_cache import LatentCache
from .run import Run, open_run
from .validation import validation_loss

# What the trainer writes, as `files.write_files` calls it before it is whole. picks.json is not the trainer's.
_HALF = re.compile(
    r"\.(run\.json|samples\.json|signals\.json|state\.|loss\.csv|lora\.|step|[0-9a-f]{3,16}\.png).*\.part"
)
_FOLDERS = ("", "data", "samples", "loras", "states", "prior")


def remove_partial_files(folder: Path) -> None:
    """Remove what a killed trainer was about to write; for whoever holds the run's training lock."""
    for place in _FOLDERS:
        for half in (folder / place).glob(".*.part"):
            if _HALF.fullmatch(half.name):
                half.unlink(missing_ok=True)


def mend_records(run: Run, backend: Backend, adapter: Adapter, clip: signals.Similarity | None) -> None:
    """Make samples.json and signals.json again where they are damaged: from the pictures, and by measuring anew.

    `adapter`: the run's, in the network of `backend`; it has the same weights afterwards.
    """
    folder = run.folder
    if (folder / "samples.json").exists() and run_files.readable(folder, "samples") is None:
        run.write_records("samples", run_files.samples_by_pictures(folder))
    if (folder / "signals.json").exists() and run_files.readable(folder, "signals") is None:
        run.write_records("signals", _measured_again(run, backend, adapter, clip))


@torch.no_grad()
def _measured_again(
    run: Run, backend: Backend, adapter: Adapter, clip: signals.Similarity | None
) -> list[dict[str, Any]]:
    """The signals of every step that was evaluated to its end: all its samples are there, and its LoRA."""
    network: Any = backend.denoiser
    cache = LatentCache(run.items, backend, run.options.changed(views=1))
    records = run.records("samples")
    pictures: dict[int, list[Any]] = {}
    for record in records:
        pictures.setdefault(record["step"], []).append(load(run_files.sample_path(run.folder, record)).pixels)
    now = {name: value.detach().clone() for name, value in adapter.parameters().items()}
    measured = []
    steps = [0, *run.saved_steps()] if pictures else run.saved_steps()
    for step in steps:
        if pictures and len(pictures.get(step, [])) != len(run.prompts):
            continue  # its evaluation was cut short, and will be made
        values = _weights_of(run, step, adapter) if step else now
        if values is None:
            continue
        adapter.load_values(values)
        with adapter.at_strength(0.0 if step == 0 else 1.0):
            validation = validation_loss(network, cache, run.options)
        measured.append(
            signals.measure_signals(
                step,
                pictures.get(step, []),
                pictures.get(0, []) if step else [],
                [item.picture for item in run.items],
                [p.prompt for p in run.prompts],
                validation=validation,
                norm=adapter.norm() if step else 0.0,
                clip=clip,
            )
        )
    adapter.load_values(now)
    return measured


def _weights_of(run: Run, step: int, adapter: Adapter) -> dict[str, Any] | None:
    """The weights of a step's LoRA by the adapter's names; None where its file is damaged."""
    try:
        tensors, _ = lora_file.read(run_files.inside(run.folder, run.lora_path(step)))
        names = {
            f"{layer}.{part}": f"lora_unet_{layer.replace('.', '_')}.lora_{part}.weight"
            for layer in adapter.layers
            for part in ("down", "up")
        }
        return {name: tensors[key] for name, key in names.items()}
    except (UserError, KeyError):
        return None


def mark_failed(folder: Path, number: int, step: int | None) -> None:
    """Write into run.json that a round's loss was no number at a step; with None that the round was done after all."""
    record = run_files.read_run(folder)
    planned = {name: value for name, value in record["rounds"][number].items() if name != "failed"}
    record["rounds"][number] = planned if step is None else planned | {"failed": step}
    write_text(folder / "run.json", json.dumps(record, indent=1, ensure_ascii=False))


def failure(run: Run, number: int) -> UserError:
    """What to do about a round that failed, in one sentence."""
    rate = run.round_options(number).learning_rate
    return UserError(
        f"The round that failed at step {run.rounds[number]['failed']}, at a learning rate of {rate:g}, would fail "
        f"again; give --learning-rate {rate / 3:.2g} or lower beside --more, to go on from the last sound step."
    )


def restart_failed(run: Run) -> Run:
    """Take a run whose last round failed back to its last sound step, where the next round can begin; as it is now.

    That step's checkpoint is the one of a round's end from then on. What was made after it is moved to the folder
    `failed`. For whoever holds the run's training lock.
    """
    folder, step = run.folder, 0
    kept = [checkpoint.checkpoint_path(folder, s) for s in reversed(run_files.steps_of_files(folder / "states"))]
    for path in (folder / checkpoint.NAME, *kept):
        try:
            state = checkpoint.read_checkpoint(path)
        except UserError:  # missing or damaged: an earlier one
            continue
        if state.is_sound:
            step = state.step
            if path.name != checkpoint.NAME:
                checkpoint.restore_checkpoint(path, folder)
            break
    _set_aside(run, step)
    record = run_files.read_run(folder)
    rounds = [planned for planned in record["rounds"] if planned["first"] < step]
    for planned in rounds:
        planned["steps"] = min(planned["steps"], step - planned["first"])
        planned.pop("failed", None)
    run = open_run(folder)
    run.rounds = rounds
    return run


def _set_aside(run: Run, step: int) -> None:
    """Move what was made after a step into the folder `failed`, and take it out of the records."""
    late = [run.lora_path(s) for s in run.saved_steps() if s > step]
    late += [
        checkpoint.checkpoint_path(run.folder, s) for s in run_files.steps_of_files(run.folder / "states") if s > step
    ]
    for name in ("samples", "signals"):
        records = run.records(name)
        if any(r["step"] > step for r in records):
            run.write_records(name, [r for r in records if r["step"] <= step])
            late += [run_files.sample_path(run.folder, r) for r in records if "file" in r and r["step"] > step]
    if step == 0:
        late += [run.folder / name for name in (checkpoint.NAME, checkpoint.TABLE)]
    for path in late:
        target = run.folder / "failed" / path.relative_to(run.folder)
        if path.exists():
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                os.replace(path, target)
            except OSError as error:
                raise explain(error, target) from error
