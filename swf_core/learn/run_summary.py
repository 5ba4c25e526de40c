"""A run as plain JSON for the page: samples by prompt and step, their verdicts, signals.

No picture is read, so that it takes no time.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..errors import UserError
from .picks import read_picks
from .run import read_json
from .signals import COPYING_LIMIT, advice

PER_SAMPLE = ("style", "prompt", "copying")  # the signals that each sample has of its own


def run_summary(folder: Path) -> dict[str, Any]:
    """The samples, signals and rounds of a run.

    `samples`: each with id, row (of `prompts`), step, caption, verdict ("accepted", "rejected" or ""), edited, its own
    signals. `evaluations`: the signals of a whole step. Raises UserError when there is no run.
    """
    record = read_json(folder / "run.json")
    if record is None:
        raise UserError(f"There is no run in '{folder}': run.json is missing.")
    picks, evaluations = read_picks(folder), read_json(folder / "signals.json") or []
    verdicts = dict.fromkeys(picks["accepted"], "accepted") | dict.fromkeys(picks["rejected"], "rejected")
    prompts = [(p["prompt"], p["seed"]) for p in record["prompts"]]
    by_step = {e["step"]: e for e in evaluations}
    samples, places = [], {}
    for sample in read_json(folder / "samples.json") or []:
        place = places[sample["step"]] = places.get(sample["step"], -1) + 1  # as signals are ordered
        signals = by_step.get(sample["step"], {})
        key = (sample["prompt"], sample["seed"])
        samples.append(
            {
                "id": sample["id"],
                "step": sample["step"],
                "row": prompts.index(key) if key in prompts else place,
                "prompt": sample["prompt"],
                "seed": sample["seed"],
                "lora": sample["lora"],
                "caption": picks["captions"].get(sample["id"], sample["prompt"]),
                "edited": sample["id"] in picks["captions"],
                "verdict": verdicts.get(sample["id"], "") if sample["lora"] else "",
                "signals": {n: signals[n][place] for n in PER_SAMPLE if place < len(signals.get(n, ()))},
            }
        )
    return {
        "name": folder.name,
        "family": record["model"]["family"],
        "model": record["model"]["name"],
        "prompts": [p for p, _ in prompts],
        "steps": sorted({s["step"] for s in samples}),
        "samples": samples,
        "originals": [{"id": d["id"], "caption": d["caption"]} for d in record["data"]],
        "rounds": [{"first": r["first"], "steps": r["steps"], "picks": len(r["picks"])} for r in record["rounds"]],
        "evaluations": [{k: e[k] for k in ("step", "validation", "norm", "diversity")} for e in evaluations],
        "copying_limit": COPYING_LIMIT,
        "advice": advice(evaluations),
        "answered": picks["answered"],
        "version": picks["version"],
    }


def picture_file(folder: Path, name: str) -> Path:
    """The file of a sample or an original by its id. Raises UserError when the run has none of that id."""
    for sample in read_json(folder / "samples.json") or []:
        if sample["id"] == name:
            return folder / "samples" / sample["file"]
    record = read_json(folder / "run.json") or {"data": []}
    if any(d["id"] == name for d in record["data"]):
        return folder / "data" / f"{name}.png"
    raise UserError(f"The run '{folder.name}' has no picture '{name}'.")
