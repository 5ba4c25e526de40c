"""Picks: a person's verdicts on samples in picks.json, the items that they become, and an automatic picker.

Accepted samples join the data set at the next round. A gallery, the command line and a node may write picks.json at
the same time, whether the trainer is at work or not: a lock keeps them from undoing each other.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from ..errors import UserError
from ..files import write_text
from ..json_shape import read_json
from ..pictures import load
from . import run_files
from .dataset import Item
from .locks import picks_lock
from .run import Run
from .signals import COPYING_LIMIT, Similarity, copying, style_and_prompt_similarity

MAX_PICKS = 100  # in a data set
MAX_CAPTION = 2000  # characters
FILE = "picks.json"


def read_picks(folder: Path) -> dict[str, Any]:
    """The content of picks.json: "accepted" and "rejected" ids in the order of the verdicts, edited "captions" by id,
    "answered": the steps up to which a person has reviewed the samples with no change since; "version" counts the
    changes, so that of two copies the newer is known."""
    nothing = {"accepted": [], "rejected": [], "captions": {}, "answered": [], "version": 0}
    return nothing | (read_json(folder / FILE, run_files.PICKS) or {})


def set_verdict(
    folder: Path, accept: Sequence[str] = (), reject: Sequence[str] = (), forget: Sequence[str] = ()
) -> dict[str, Any]:
    """Accept samples of a run's folder, reject them, or forget their verdicts, by id; the last verdict counts.

    Returns the content of picks.json. Raises UserError for an unknown id and for more than `MAX_PICKS` accepted ones.
    """
    twice = set(accept) & set(reject)
    if twice:
        raise UserError(f"The sample '{min(twice)}' is both accepted and rejected; choose one.")

    def change(content: dict[str, Any]) -> None:
        changed = {*accept, *reject, *forget}
        content["accepted"] = [*(i for i in content["accepted"] if i not in changed), *dict.fromkeys(accept)]
        content["rejected"] = [*(i for i in content["rejected"] if i not in changed), *dict.fromkeys(reject)]
        if len(content["accepted"]) > MAX_PICKS:
            count = len(content["accepted"])
            raise UserError(f"{count} samples would be accepted; a data set takes at most {MAX_PICKS}: reject some.")

    return _write_picks(folder, (*accept, *reject, *forget), change)


def mark_reviewed(folder: Path, step: int) -> dict[str, Any]:
    """Record that a person has reviewed the samples up to a step: the next round learns from those accepted now."""

    def change(content: dict[str, Any]) -> None:
        content["answered"] = sorted({*content["answered"], step})

    return _write_picks(folder, (), change)


def set_caption(folder: Path, name: str, caption: str) -> dict[str, Any]:
    """Replace a sample's caption; an empty one is its prompt again. Returns the content of picks.json."""
    words = " ".join(caption.split())
    if len(words) > MAX_CAPTION:
        raise UserError(f"The caption has {len(words)} characters; at most {MAX_CAPTION} are kept.")

    def change(content: dict[str, Any]) -> None:
        others = {i: c for i, c in content["captions"].items() if i != name}
        content["captions"] = others | ({name: words} if words else {})

    return _write_picks(folder, (name,), change)


def _write_picks(folder: Path, names: Sequence[str], change: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """Read, change and write picks.json, one at a time whoever else does."""
    known = pickable_samples(folder)
    for name in names:
        if name not in known:
            raise UserError(f"There is no sample '{name}' in the run '{folder}'; list them with: pick --list.")
    first = min((known[name]["step"] for name in names), default=None)
    with picks_lock(folder):
        for half in folder.glob(f".{FILE}.*.part"):  # of a writer that was killed: none but us writes now
            half.unlink(missing_ok=True)
        content = read_picks(folder)
        if first is not None:  # what a person reviewed has changed since
            content["answered"] = [step for step in content["answered"] if step < first]
        change(content)
        content["version"] += 1
        write_text(folder / FILE, json.dumps(content, indent=1, ensure_ascii=False))
    return content


def pickable_samples(folder: Path) -> dict[str, dict[str, Any]]:
    """The samples of a run's folder that can be picked, by id: those of the LoRA, not those of the plain model."""
    return {r["id"]: r for r in run_files.read_samples(folder) if r["lora"]}


def accepted_captions(folder: Path, up_to: int | None = None) -> dict[str, str]:
    """The accepted samples, id -> caption: the edited one, else the prompt that made it. Only those that were sampled
    by the step `up_to`; in the order of samples.json, so that the order of clicks changes nothing."""
    content = read_picks(folder)
    return {
        i: content["captions"].get(i, record["prompt"])
        for i, record in pickable_samples(folder).items()
        if i in content["accepted"] and (up_to is None or record["step"] <= up_to)
    }


def picked_items(run: Run, captions: Mapping[str, str]) -> list[Item]:
    """Samples by id as items, with these captions."""
    known = pickable_samples(run.folder)
    items = []
    for name, caption in captions.items():
        if name not in known:
            raise UserError(f"The picked sample '{name}' is missing from the run '{run.folder}'; restore samples.json.")
        record = known[name]
        picture = load(run_files.sample_path(run.folder, record)).pixels
        items.append(Item(picture, caption, origin=f"step {record['step']}", id=name))
    return items


def auto_pick(run: Run, clip: Similarity, count: int = 8, step: int | None = None) -> list[str]:
    """Ids of the best samples of an evaluation, the last by default: like the style picture but no copies of it, and
    true to their prompts.

    Style and truth: `signals.style_and_prompt_similarity`; of the latter the lower half is left out. Copies:
    `signals.copying` against the plain model's sample. At most one of a prompt until all prompts have one.
    """
    samples = run.records("samples")
    last = step or max((r["step"] for r in samples if r["lora"]), default=0)
    candidates = [r for r in samples if r["step"] == last and r["lora"]]
    if not candidates:
        raise UserError(f"The run '{run.folder}' has no samples yet; train it with samples.")
    plain = {(r["prompt"], r["seed"]): r for r in samples if not r["lora"]}
    originals = [item.picture for item in run.items]
    pictures = [_picture(run, r) for r in candidates]
    style, truth = style_and_prompt_similarity(clip, pictures, originals, [r["prompt"] for r in candidates])
    middle = sorted(truth)[(len(truth) - 1) // 2]
    eligible = []
    for k, record in enumerate(candidates):
        before = plain.get((record["prompt"], record["seed"]))
        copied = copying(pictures[k], originals, None if before is None else _picture(run, before))
        if truth[k] >= middle and copied <= COPYING_LIMIT:
            eligible.append(k)
    eligible.sort(key=lambda k: -style[k])
    first, rest, used_prompts = [], [], set()
    for k in eligible:
        (rest if candidates[k]["prompt"] in used_prompts else first).append(k)
        used_prompts.add(candidates[k]["prompt"])
    return [candidates[k]["id"] for k in [*first, *rest][:count]]


def _picture(run: Run, record: dict[str, Any]) -> Tensor:
    return load(run_files.sample_path(run.folder, record)).pixels
