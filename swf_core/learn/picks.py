"""Feedback: samples that were taken join the data set, those that were refused are remembered; and a picker.

picks.json is written by whoever picks, while the trainer may be at work or not; the next round reads it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
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


def read(folder: Path) -> dict[str, Any]:
    """{"accepted": ids, "rejected": ids}, in the order they were judged."""
    return read_json(folder / "picks.json") or {"accepted": [], "rejected": []}


def judge(run: Run, accept: Sequence[str] = (), reject: Sequence[str] = (), forget: Sequence[str] = ()) -> dict:
    """Take samples, refuse them, or forget a judgement, by id; the last word counts. Returns what is on file then.

    Raises UserError for an unknown id and for more than `MOST` accepted ones.
    """
    known = {r["id"] for r in run.records("samples") if r["lora"]}
    for name in (*accept, *reject, *forget):
        if name not in known:
            raise UserError(f"There is no sample '{name}' in the run '{run.folder}'; list them with: pick --list.")
    twice = set(accept) & set(reject)
    if twice:
        raise UserError(f"The sample '{min(twice)}' is both accepted and rejected; choose one.")
    told = read(run.folder)
    judged = {*accept, *reject, *forget}
    accepted = [*(i for i in told["accepted"] if i not in judged), *dict.fromkeys(accept)]
    rejected = [*(i for i in told["rejected"] if i not in judged), *dict.fromkeys(reject)]
    if len(accepted) > MOST:
        raise UserError(f"{len(accepted)} samples would be accepted; a data set takes at most {MOST}: reject some.")
    found = {"accepted": accepted, "rejected": rejected}
    write_text(run.folder / "picks.json", json.dumps(found, indent=1))
    return found


def picked_items(run: Run, ids: Sequence[str]) -> list[Item]:
    """Samples as items: the caption is the prompt that made them."""
    records = {r["id"]: r for r in run.records("samples")}
    found = []
    for name in ids:
        if name not in records:
            raise UserError(f"The picked sample '{name}' is missing from the run '{run.folder}'; restore samples.json.")
        record = records[name]
        picture = load(run.folder / "samples" / record["file"]).pixels
        found.append(Item(picture, record["prompt"], origin=f"step {record['step']}", id=name))
    return found


def auto_pick(run: Run, clip: Similarity, count: int = 8) -> list[str]:
    """Ids of the best samples of the last look: like the style picture, not its copies, true to their prompts.

    Style and truth: `signals.similarities`; of the latter the lower half is left out. Copies: `signals.copying` against
    the plain model's sample. At most one of a prompt until all prompts have one.
    """
    records = run.records("samples")
    last = max((r["step"] for r in records if r["lora"]), default=0)
    looked = [r for r in records if r["step"] == last and r["lora"]]
    if not looked:
        raise UserError(f"The run '{run.folder}' has no samples yet; train it with samples.")
    plain = {(r["prompt"], r["seed"]): r for r in records if not r["lora"]}
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
