"""A run as plain JSON for the page: samples by prompt and step, their verdicts, signals.

No picture is read, so that it takes no time.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..errors import UserError
from . import run_files
from .picks import read_picks
from .signals import COPYING_LIMIT, advice, judgement

AGAIN = "signals.json is damaged; it is measured again when this run is trained on."
PER_SAMPLE = ("style", "prompt", "copying")  # the signals that each sample has of its own


def run_summary(folder: Path) -> dict[str, Any]:
    """The samples, signals and rounds of a run.

    `samples`: each with id, row (of `prompts`), step, caption, verdict ("accepted", "rejected" or ""), edited, its own
    signals. `evaluations`: the signals of a whole step. `judgement`: what `advice` says, as `signals.judgement` has it,
    for other languages. Raises UserError when there is no run.
    """
    record = run_files.read_run(folder)
    picks, evaluations = read_picks(folder), run_files.read_signals(folder)
    is_known = not (folder / "signals.json").exists() or run_files.readable(folder, "signals") is not None
    verdicts = dict.fromkeys(picks["accepted"], "accepted") | dict.fromkeys(picks["rejected"], "rejected")
    prompts = [(p["prompt"], p["seed"]) for p in record["prompts"]]
    by_step = {e["step"]: e for e in evaluations}
    samples, places = [], {}
    for sample in run_files.read_samples(folder):
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
        "advice": advice(evaluations) if is_known else AGAIN,
        "judgement": list(judgement(evaluations)) if is_known else ["measured again", {}],
        "answered": picks["answered"],
        "version": picks["version"],
    }


def picture_file(folder: Path, name: str) -> Path:
    """The file of a sample or an original by its id. Raises UserError when the run has none of that id."""
    for sample in run_files.read_samples(folder):
        if sample["id"] == name:
            return run_files.sample_path(folder, sample)
    if any(d["id"] == name for d in run_files.read_run(folder)["data"]):
        return run_files.original_path(folder, name)
    raise UserError(f"The run '{folder.name}' has no picture '{name}'.")
