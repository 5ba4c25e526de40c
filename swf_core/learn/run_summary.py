"""A run as plain JSON for whoever shows it: samples by prompt and step, what was said of them, signals. No picture is
read, so that it is told at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..errors import UserError
from .picks import read as read_picks
from .run import read_json
from .signals import COPIED, advice

PER_SAMPLE = ("style", "prompt", "copying")  # the signals that each sample has of its own


def shown(folder: Path) -> dict[str, Any]:
    """What there is to see of a run.

    `samples`: each with id, row (of `prompts`), step, caption, judged ("accepted", "rejected" or ""), edited, its own
    signals. `looks`: the signals of a whole step. Raises UserError when there is no run.
    """
    told = read_json(folder / "run.json")
    if told is None:
        raise UserError(f"There is no run in '{folder}': run.json is missing.")
    picks, looks = read_picks(folder), read_json(folder / "signals.json") or []
    judged = dict.fromkeys(picks["accepted"], "accepted") | dict.fromkeys(picks["rejected"], "rejected")
    prompts = [(p["prompt"], p["seed"]) for p in told["prompts"]]
    by_step = {look["step"]: look for look in looks}
    samples, seen = [], {}
    for record in read_json(folder / "samples.json") or []:
        place = seen[record["step"]] = seen.get(record["step"], -1) + 1  # signals are kept in the order of the samples
        look = by_step.get(record["step"], {})
        key = (record["prompt"], record["seed"])
        samples.append(
            {
                "id": record["id"],
                "step": record["step"],
                "row": prompts.index(key) if key in prompts else place,
                "prompt": record["prompt"],
                "seed": record["seed"],
                "lora": record["lora"],
                "caption": picks["captions"].get(record["id"], record["prompt"]),
                "edited": record["id"] in picks["captions"],
                "judged": judged.get(record["id"], "") if record["lora"] else "",
                "signals": {n: look[n][place] for n in PER_SAMPLE if place < len(look.get(n, ()))},
            }
        )
    return {
        "name": folder.name,
        "family": told["model"]["family"],
        "model": told["model"]["name"],
        "prompts": [p for p, _ in prompts],
        "steps": sorted({s["step"] for s in samples}),
        "samples": samples,
        "originals": [{"id": d["id"], "caption": d["caption"]} for d in told["data"]],
        "rounds": [{"first": r["first"], "steps": r["steps"], "picks": len(r["picks"])} for r in told["rounds"]],
        "looks": [{k: look[k] for k in ("step", "validation", "norm", "diversity")} for look in looks],
        "copied": COPIED,
        "advice": advice(looks),
        "answered": picks["answered"],
        "version": picks["version"],
    }


def picture_file(folder: Path, name: str) -> Path:
    """The file of a sample or an original by its id. Raises UserError when the run has none of that id."""
    for record in read_json(folder / "samples.json") or []:
        if record["id"] == name:
            return folder / "samples" / record["file"]
    told = read_json(folder / "run.json") or {"data": []}
    if any(d["id"] == name for d in told["data"]):
        return folder / "data" / f"{name}.png"
    raise UserError(f"The run '{folder.name}' has no picture '{name}'.")
