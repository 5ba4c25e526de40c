"""A run: the folder of one training, complete enough to go on from after any kill.

    run.json            model, options, data set, prompts, rounds; what was chosen
    data/ID.png         the pictures of the data set
    state.safetensors   the LoRA's weights, the optimizer's moments, the step, the losses
    states/step_N.safetensors   the same at the end of each round
    loras/step_N.safetensors, samples/step_N_K.png, samples.json, signals.json, loss.csv
    picks.json          what a person took and what not
    lora.safetensors    the chosen LoRA

Every file is written whole under another name and then renamed. `picks.json` belongs to whoever picks, all others to
the trainer, so neither can undo the other's work.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from ..errors import UserError
from ..files import write_files, write_text
from ..models.contracts import Backend
from ..pictures import load as load_picture
from ..pictures import png_bytes
from .dataset import Item
from .options import ROUND, TrainOptions, from_json, to_json

FORMAT = 1


@dataclass(frozen=True)
class Prompt:
    """What is sampled on the way: the same words from the same noise each time."""

    prompt: str
    seed: int


@dataclass
class Run:
    """A run's folder and what its run.json says. `rounds`: options that differ, first step, the picks taken in."""

    folder: Path
    model: dict[str, str]
    options: TrainOptions
    items: tuple[Item, ...]
    prompts: tuple[Prompt, ...]
    rounds: list[dict[str, Any]] = field(default_factory=list)
    chosen: int | None = None

    def save(self) -> None:
        """Write run.json, and pictures that are not there yet."""
        told = {
            "format": FORMAT,
            "model": self.model,
            "options": to_json(self.options),
            "data": [
                {"id": i.id, "caption": i.caption, "weight": i.weight, "repeats": i.repeats, "origin": i.origin}
                for i in self.items
            ],
            "prompts": [{"prompt": p.prompt, "seed": p.seed} for p in self.prompts],
            "rounds": self.rounds,
            "chosen": self.chosen,
        }
        pictures = {self.folder / "data" / f"{i.id}.png": i.picture for i in self.items}
        files = {path: png_bytes(picture) for path, picture in pictures.items() if not path.exists()}
        write_files(files | {self.folder / "run.json": json.dumps(told, indent=1, ensure_ascii=False).encode()})

    @property
    def steps(self) -> int:
        """Steps of all rounds."""
        return sum(r["steps"] for r in self.rounds)

    def round_options(self, number: int) -> TrainOptions:
        """The options of a round, counted from 0."""
        return self.options.changed(**self.rounds[number]["options"])

    def add_round(self, steps: int, picks: Mapping[str, str] | None = None, **changes: Any) -> None:
        """Plan `steps` more, with picked samples (id -> caption), and options that may change between rounds."""
        self.rounds.append(self.planned(self.steps, steps, picks or {}, changes))

    def planned(self, first: int, steps: int, picks: Mapping[str, str], changes: Mapping[str, Any]) -> dict[str, Any]:
        """A round after the step `first`, as it stands in run.json. Raises UserError for options that are fixed."""
        fixed = sorted(set(changes) - set(ROUND))
        if fixed:
            raise UserError(f"{fixed[0]} cannot change within a run; begin another run for that.")
        options = dict(changes) | {"steps": steps}
        self.options.changed(**options)  # checks the values
        return {"first": first, "steps": steps, "options": options, "picks": list(picks), "captions": dict(picks)}

    def picks_of(self, number: int) -> dict[str, str]:
        """What a round took in, id -> caption. Runs from before
        captions could be edited hold the ids alone."""
        plan = self.rounds[number]
        if "captions" in plan:
            return plan["captions"]
        prompts = {r["id"]: r["prompt"] for r in self.records("samples")}
        return {i: prompts.get(i, "") for i in plan["picks"]}

    def lora_file(self, step: int) -> Path:
        """Where the LoRA of a step lies."""
        return self.folder / "loras" / f"step_{step:06d}.safetensors"

    def kept_steps(self) -> list[int]:
        """The steps whose LoRA is kept."""
        return sorted(int(p.stem.removeprefix("step_")) for p in (self.folder / "loras").glob("step_*.safetensors"))

    def kept_lora(self, step: int) -> Path:
        """The LoRA's file of a step. Raises UserError, naming the steps that are kept, when it is not there."""
        if not self.lora_file(step).exists():
            raise UserError(
                f"The run keeps no LoRA of step {step}; choose one of "
                f"{', '.join(map(str, self.kept_steps())) or 'none: it was not trained yet'}."
            )
        return self.lora_file(step)

    def records(self, name: str) -> list[dict[str, Any]]:
        """What samples.json or signals.json holds."""
        return read_json(self.folder / f"{name}.json") or []

    def write_records(self, name: str, records: Sequence[Mapping[str, Any]]) -> None:
        """Replace samples.json or signals.json."""
        write_text(self.folder / f"{name}.json", json.dumps(list(records), indent=1, ensure_ascii=False))


def create(
    folder: Path, backend: Backend, options: TrainOptions, items: Sequence[Item], prompts: Sequence[Prompt]
) -> Run:
    """A new run with its first round planned. Raises UserError when the folder holds something else."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"The run folder '{folder}' holds other files; give a new name or an empty folder.")
    if not items:
        raise UserError("The data set is empty; give at least one picture of the style.")
    seen: dict[str, Item] = {}
    for item in items:
        seen.setdefault(item.id, item)
    run = Run(folder, identity(backend), options, tuple(seen.values()), tuple(prompts))
    run.add_round(options.steps)
    run.save()
    return open_run(folder)  # with the pictures as they were kept, so that going on later finds the very same


def open_run(folder: Path, backend: Backend | None = None) -> Run:
    """The run in a folder. Raises UserError when there is none, it is damaged, or it belongs to another model."""
    told = read_json(folder / "run.json")
    if told is None:
        raise UserError(f"There is no run in '{folder}': run.json is missing.")
    try:
        if told["format"] != FORMAT:
            raise UserError(f"The run '{folder}' was made by a later version of StyleWallfacer; update it.")
        items = tuple(
            Item(
                load_picture(folder / "data" / f"{d['id']}.png").pixels,
                d["caption"],
                d["weight"],
                d["repeats"],
                d["origin"],
                d["id"],
            )
            for d in told["data"]
        )
        prompts = tuple(Prompt(p["prompt"], p["seed"]) for p in told["prompts"])
        options = from_json(told["options"])
        run = Run(folder, told["model"], options, items, prompts, told["rounds"], told["chosen"])
    except (KeyError, TypeError) as error:
        raise UserError(f"The run '{folder}' is damaged: run.json lacks {error}; restore the folder.") from error
    if backend is not None and identity(backend) != run.model:
        raise UserError(
            f"The run '{folder}' was trained on another model ({run.model['name']}); load that one, or begin a new run."
        )
    return run


def sweep(run: Run) -> None:
    """Remove what a killed trainer was about to write; whoever picks may be writing at this moment."""
    for left in run.folder.rglob(".*.part"):
        if not left.name.startswith(".picks.json"):
            left.unlink(missing_ok=True)


def identity(backend: Backend) -> dict[str, str]:
    """What tells models apart: family, and a digest over the network's parameters (their shapes and first values).

    A LoRA inside the network does not change it.
    """
    digest = hashlib.sha256()
    for name, value in sorted(backend.denoiser.network.named_parameters(), key=lambda p: _plain(p[0])):
        if ".lora_" not in name:
            first = value.detach().flatten()[:8].to("cpu", torch.float32)
            digest.update(f"{_plain(name)} {tuple(value.shape)} {first.tolist()}".encode())
    return {"name": backend.name, "family": backend.family, "digest": digest.hexdigest()[:16]}


def _plain(name: str) -> str:
    return name.replace(".base_layer.", ".")


def read_json(path: Path) -> Any:
    """What a JSON file holds, None when it is not there. Raises UserError when it is damaged."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise UserError(f"'{path}' cannot be read as JSON; restore it.") from error
