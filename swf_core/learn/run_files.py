"""The files in a run's folder: what their JSON must look like, and the one place where a name in it becomes a path.

A run may come from somebody else. A name that the product itself does not write never reaches a file.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..errors import UserError
from ..json_shape import Mapping, Number, Whole, first_fault, read_json
from ..pictures import load
from .dataset import MAX_REPEATS, MAX_WEIGHT, picture_id

FORMAT = 1
PICTURE_ID = re.compile("[0-9a-f]{16}")
SAMPLE_FILE = re.compile(r"step_[0-9]{6,9}_[0-9]{2,5}\.png")
STEP_FILE = re.compile(r"step_([0-9]{6,9})\.safetensors")
STEP = Whole(0, 999_999_999)

_OPTIONS = Mapping(str, (str, float, bool, None))
_PICTURE = {
    "id": PICTURE_ID,
    "caption": str,
    "weight": Number(1e-9, MAX_WEIGHT),
    "repeats": Whole(1, MAX_REPEATS),
    "origin": str,
}
_ROUND = {
    "first": STEP,
    "steps": Whole(1, STEP.high),
    "options": _OPTIONS,
    "picks": [PICTURE_ID],
    "captions?": Mapping(PICTURE_ID, str),
    "failed?": STEP,
}
RUN = {
    "model": {"name": str, "family": str, "digest": str},
    "options": _OPTIONS,
    "data": [_PICTURE],
    "prompts": [{"prompt": str, "seed": Whole(0, 2**64)}],
    "rounds": [_ROUND],
    "chosen": (STEP, None),
}
SAMPLES = [{"id": PICTURE_ID, "file": SAMPLE_FILE, "step": STEP, "prompt": str, "seed": Whole(0, 2**64), "lora": bool}]
SIGNALS = [
    {
        "step": STEP,
        "validation": float,
        "validation_rows?": int,
        "norm": float,
        "copying": [float],
        "diversity": float,
        "style?": [float],
        "prompt?": [float],
    }
]
PICKS = {
    "accepted?": [PICTURE_ID],
    "rejected?": [PICTURE_ID],
    "captions?": Mapping(PICTURE_ID, str),
    "answered?": [STEP],
    "version?": Whole(0, 2**53),
}


def read_run(folder: Path) -> dict[str, Any]:
    """The content of run.json. Raises UserError when there is none, it is damaged, or of a later version."""
    path = folder / "run.json"
    record = read_json(path, {"format": int}, "restore the folder")
    if record is None:
        raise UserError(f"There is no run in '{folder}': run.json is missing.")
    if record["format"] != FORMAT:
        raise UserError(f"The run '{folder}' was made by a later version of StyleWallfacer; update it.")
    fault = first_fault(record, RUN) or _fault_of_rounds(record["rounds"])
    fault = fault or ("" if record["data"] else "data is empty")
    if fault:
        raise UserError(f"The run '{folder}' is damaged: in run.json, {fault}; restore the folder.")
    return record


def _fault_of_rounds(rounds: list[dict[str, Any]]) -> str:
    """Rounds follow upon each other, from step 0 on."""
    ends = [0, *(r["first"] + r["steps"] for r in rounds)]
    wrong = [k for k, r in enumerate(rounds) if r["first"] != ends[k]]
    if wrong:
        return f"rounds[{wrong[0]}].first is {rounds[wrong[0]]['first']} and must be {ends[wrong[0]]}"
    return "" if rounds else "rounds is empty"


def read_samples(folder: Path) -> list[dict[str, Any]]:
    """The records of samples.json; where it is missing or damaged, as the pictures in samples/ say.

    Raises UserError when run.json, which knows their prompts, is damaged too.
    """
    records = readable(folder, "samples")
    return samples_by_pictures(folder) if records is None else records


def read_signals(folder: Path) -> list[dict[str, Any]]:
    """The records of signals.json; none where it is missing, or damaged: the next training measures them again."""
    return readable(folder, "signals") or []


def readable(folder: Path, name: str) -> list[dict[str, Any]] | None:
    """The records of samples.json or signals.json, None where it is missing or damaged; both can be made again."""
    try:
        return read_json(folder / f"{name}.json", {"samples": SAMPLES, "signals": SIGNALS}[name])
    except UserError:
        return None


def samples_by_pictures(folder: Path) -> list[dict[str, Any]]:
    """What samples.json holds, made again from the pictures: a file's name says its step and its prompt's place."""
    files = sorted((folder / "samples").glob("step_*.png"), key=lambda file: (_numbers(file), file.name))
    prompts: list[dict[str, Any]] = read_run(folder)["prompts"] if files else []
    records = []
    for file in files:
        if not SAMPLE_FILE.fullmatch(file.name):
            continue
        step, place = _numbers(file)
        if place < len(prompts):
            try:
                picture = load(inside(folder, file)).pixels
            except UserError:  # cut short, or no file of this run
                continue
            sample = {"id": picture_id(picture), "file": file.name, "step": step}
            records.append(sample | {k: prompts[place][k] for k in ("prompt", "seed")} | {"lora": step > 0})
    return records


def _numbers(file: Path) -> tuple[int, int]:
    """Step and place of a sample's file; zeros for a name of another kind, which is left out."""
    if not SAMPLE_FILE.fullmatch(file.name):
        return 0, 0
    _, step, place = file.stem.split("_")
    return int(step), int(place)


def sample_path(folder: Path, record: Any) -> Path:
    """The picture of a record of samples.json."""
    return _named(folder / "samples", str(record["file"]), SAMPLE_FILE.fullmatch)


def original_path(folder: Path, picture: str) -> Path:
    """The picture of the data set that has this id."""
    return _named(folder / "data", f"{picture}.png", lambda name: PICTURE_ID.fullmatch(picture))


def _named(folder: Path, name: str, accepted: Callable[[str], Any]) -> Path:
    if not accepted(name):
        raise UserError(f"The run '{folder.parent}' names a file {name[:60]!r}, which no run has; restore the folder.")
    return inside(folder.parent, folder / name)


def inside(folder: Path, path: Path) -> Path:
    """A path of a run's folder. Raises UserError where a link in it leads out of that folder."""
    root, real = Path(os.path.realpath(folder)), Path(os.path.realpath(path))
    if root not in real.parents:
        raise UserError(f"'{path}' is a link that leads out of the run's folder; put the file itself there.")
    return path


def steps_of_files(folder: Path) -> list[int]:
    """The steps of the files step_N.safetensors in a folder."""
    matches = (STEP_FILE.fullmatch(file.name) for file in folder.glob("step_*.safetensors"))
    return sorted(int(match[1]) for match in matches if match)
