"""Feedback: samples that were taken join the data set, those that were refused are remembered; and a picker.

picks.json is written by whoever picks, while the trainer may be at work or not; the next round reads it. A lock lets a
gallery, a command line and a node pick at the same time without undoing each other.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from torch import Tensor

from ..errors import UserError
from ..files import write_text
from ..pictures import load
from .dataset import Item
from .run import Run, read_json
from .signals import COPIED, Similarity, copying, similarities

MOST = 100  # picks in a data set
LONGEST = 2000  # characters of a caption
FILE = "picks.json"


def read(folder: Path) -> dict[str, Any]:
    """What is on file: "accepted" and "rejected" ids in the order they were judged, "captions" of one's own by id,
    "answered": the steps whose looks a person has gone through, and nothing has changed since; "version" counts the
    changes, so that of two tellings the newer is known."""
    nothing = {"accepted": [], "rejected": [], "captions": {}, "answered": [], "version": 0}
    return nothing | (read_json(folder / FILE) or {})


def judge(
    folder: Path, accept: Sequence[str] = (), reject: Sequence[str] = (), forget: Sequence[str] = ()
) -> dict[str, Any]:
    """Take samples of a run's folder, refuse them, or forget a judgement, by id; the last word counts.

    Returns what is on file then. Raises UserError for an unknown id and for more than `MOST` accepted ones.
    """
    twice = set(accept) & set(reject)
    if twice:
        raise UserError(f"The sample '{min(twice)}' is both accepted and rejected; choose one.")

    def change(told: dict[str, Any]) -> None:
        judged = {*accept, *reject, *forget}
        told["accepted"] = [*(i for i in told["accepted"] if i not in judged), *dict.fromkeys(accept)]
        told["rejected"] = [*(i for i in told["rejected"] if i not in judged), *dict.fromkeys(reject)]
        if len(told["accepted"]) > MOST:
            raise UserError(
                f"{len(told['accepted'])} samples would be accepted; a data set takes at most {MOST}: reject some."
            )

    return _changed(folder, (*accept, *reject, *forget), change)


def answer(folder: Path, step: int) -> dict[str, Any]:
    """Say that the samples up to a step have been gone through: what is accepted now is what comes next."""

    def change(told: dict[str, Any]) -> None:
        told["answered"] = sorted({*told["answered"], step})

    return _changed(folder, (), change)


def recaption(folder: Path, name: str, caption: str) -> dict[str, Any]:
    """Say in one's own words what a sample shows; nothing said is its prompt again. Returns what is on file then."""
    words = " ".join(caption.split())
    if len(words) > LONGEST:
        raise UserError(f"The caption has {len(words)} characters; at most {LONGEST} are kept.")

    def change(told: dict[str, Any]) -> None:
        told["captions"] = {i: c for i, c in told["captions"].items() if i != name} | ({name: words} if words else {})

    return _changed(folder, (name,), change)


def _changed(folder: Path, names: Sequence[str], change: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """Read, change and write picks.json, one at a time whoever else does."""
    known = records(folder)
    for name in names:
        if name not in known:
            raise UserError(f"There is no sample '{name}' in the run '{folder}'; list them with: pick --list.")
    first = min((known[name]["step"] for name in names), default=None)
    with _locked(folder):
        told = read(folder)
        if first is not None:  # whoever was to learn from these has to be told again
            told["answered"] = [step for step in told["answered"] if step < first]
        change(told)
        told["version"] += 1
        write_text(folder / FILE, json.dumps(told, indent=1, ensure_ascii=False))
    return told


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """The system lets go of the lock when its holder dies."""
    from filelock import FileLock

    with FileLock(folder / f".{FILE}.lock"):
        yield


def records(folder: Path) -> dict[str, dict[str, Any]]:
    """The samples of a run's folder that can be picked, by id: those of the LoRA, not those of the plain model."""
    return {r["id"]: r for r in read_json(folder / "samples.json") or [] if r["lora"]}


def taken(folder: Path, up_to: int | None = None) -> dict[str, str]:
    """The accepted samples, id -> caption: one's own words, else the prompt that made it. Only those that were sampled
    by the step `up_to`; in the order of samples.json, so that the order of clicks changes nothing."""
    told = read(folder)
    return {
        i: told["captions"].get(i, record["prompt"])
        for i, record in records(folder).items()
        if i in told["accepted"] and (up_to is None or record["step"] <= up_to)
    }


def picked_items(run: Run, captions: Mapping[str, str]) -> list[Item]:
    """Samples by id as items, with these captions."""
    known = records(run.folder)
    found = []
    for name, caption in captions.items():
        if name not in known:
            raise UserError(f"The picked sample '{name}' is missing from the run '{run.folder}'; restore samples.json.")
        record = known[name]
        picture = load(run.folder / "samples" / record["file"]).pixels
        found.append(Item(picture, caption, origin=f"step {record['step']}", id=name))
    return found


def auto_pick(run: Run, clip: Similarity, count: int = 8, step: int | None = None) -> list[str]:
    """Ids of the best samples of a look, the last by default: like the style picture, not its copies, true to their
    prompts.

    Style and truth: `signals.similarities`; of the latter the lower half is left out. Copies: `signals.copying` against
    the plain model's sample. At most one of a prompt until all prompts have one.
    """
    samples = run.records("samples")
    last = step or max((r["step"] for r in samples if r["lora"]), default=0)
    looked = [r for r in samples if r["step"] == last and r["lora"]]
    if not looked:
        raise UserError(f"The run '{run.folder}' has no samples yet; train it with samples.")
    plain = {(r["prompt"], r["seed"]): r for r in samples if not r["lora"]}
    originals = [item.picture for item in run.items]
    pictures = [_picture(run, r) for r in looked]
    style, truth = similarities(clip, pictures, originals, [r["prompt"] for r in looked])
    middle = sorted(truth)[(len(truth) - 1) // 2]
    good = []
    for k, record in enumerate(looked):
        before = plain.get((record["prompt"], record["seed"]))
        copied = copying(pictures[k], originals, None if before is None else _picture(run, before))
        if truth[k] >= middle and copied <= COPIED:
            good.append(k)
    good.sort(key=lambda k: -style[k])
    first, more, used = [], [], set()
    for k in good:
        (more if looked[k]["prompt"] in used else first).append(k)
        used.add(looked[k]["prompt"])
    return [looked[k]["id"] for k in [*first, *more][:count]]


def _picture(run: Run, record: dict[str, Any]) -> Tensor:
    return load(run.folder / "samples" / record["file"]).pixels
