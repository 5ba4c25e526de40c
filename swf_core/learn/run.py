"""A run: the folder of one training, complete enough to be resumed after any kill.

    run.json            model, options, data set, prompts, rounds; what was chosen
    data/ID.png         the pictures of the data set
    state.safetensors   the LoRA's weights, the optimizer's moments, the step, the losses
    states/step_N.safetensors   the same at the end of each round (`checkpoint`)
    loras/step_N.safetensors, samples/step_N_K.png, samples.json, signals.json, loss.csv
    picks.json          which samples a person accepted and rejected
    lora.safetensors    the chosen LoRA

Every file is written whole under another name and then renamed. `picks.json` belongs to the gallery and `pick`, all
others to the trainer, so neither can undo the other's work.
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
from ..models import lora_file
from ..models.base_weights import digest_as_loaded
from ..models.contracts import Backend
from ..pictures import load as load_picture
from ..pictures import png_bytes
from . import run_files
from .dataset import Item
from .flow_loss import check_kind_of_model
from .locks import TRAINING, training_lock
from .options import ROUND, TrainOptions, from_json, to_json, with_present_names

_FORBIDDEN = '<>:"/\\|?*'


@dataclass(frozen=True)
class Prompt:
    """A prompt that is sampled at each evaluation, always from the noise of this seed."""

    prompt: str
    seed: int


@dataclass
class Run:
    """A run's folder and what its run.json says.

    `rounds`: options that differ, first step, the picks taken in, and "failed", the step at which the loss of a round
    was no number.
    """

    folder: Path
    model: dict[str, str]
    options: TrainOptions
    items: tuple[Item, ...]
    prompts: tuple[Prompt, ...]
    rounds: list[dict[str, Any]] = field(default_factory=list)
    chosen: int | None = None

    def save(self) -> None:
        """Write run.json, and pictures that are not there yet."""
        record = {
            "format": run_files.FORMAT,
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
        write_files(files | {self.folder / "run.json": json.dumps(record, indent=1, ensure_ascii=False).encode()})

    @property
    def steps(self) -> int:
        """Steps of all rounds."""
        return sum(r["steps"] for r in self.rounds)

    def round_options(self, number: int) -> TrainOptions:
        """The options of a round, counted from 0."""
        return self.options.changed(**self.rounds[number]["options"])

    def add_round(self, steps: int, picks: Mapping[str, str] | None = None, **changes: Any) -> None:
        """Plan `steps` more, with picked samples (id -> caption), and options that may change between rounds."""
        self.rounds.append(self.plan_round(self.steps, steps, picks or {}, changes))

    def plan_round(
        self, first: int, steps: int, picks: Mapping[str, str], changes: Mapping[str, Any]
    ) -> dict[str, Any]:
        """A round after the step `first`, as it stands in run.json. Raises UserError for options that are fixed."""
        fixed = sorted(set(changes) - set(ROUND))
        if fixed:
            raise UserError(f"{fixed[0]} cannot change within a run; begin another run for that.")
        options = dict(changes) | {"steps": steps}
        self.options.changed(**options)  # checks the values
        return {"first": first, "steps": steps, "options": options, "picks": list(picks), "captions": dict(picks)}

    def round_picks(self, number: int) -> dict[str, str]:
        """The picked samples that a round learns from, id -> caption.

        Runs that were written before captions could be edited hold the ids alone; their captions are the prompts.
        """
        plan = self.rounds[number]
        if "captions" in plan:
            return plan["captions"]
        prompts = {r["id"]: r["prompt"] for r in self.records("samples")}
        return {i: prompts.get(i, "") for i in plan["picks"]}

    def lora_path(self, step: int) -> Path:
        """Where the LoRA of a step lies."""
        return self.folder / "loras" / f"step_{step:06d}.safetensors"

    def saved_steps(self) -> list[int]:
        """The steps whose LoRA is saved."""
        return run_files.steps_of_files(self.folder / "loras")

    def saved_lora_path(self, step: int) -> Path:
        """The LoRA's file of a step. Raises UserError, naming the steps that are saved, when it is not there."""
        if not self.lora_path(step).exists():
            raise UserError(
                f"The run keeps no LoRA of step {step}; choose one of "
                f"{', '.join(map(str, self.saved_steps())) or 'none: it was not trained yet'}."
            )
        return self.lora_path(step)

    def lora_bytes(self, step: int) -> bytes:
        """The LoRA's file of a step. Raises UserError when it is not there, damaged, or holds what is no number."""
        path = self.saved_lora_path(step)
        tensors, _ = lora_file.read(path)
        if not tensors or not all(bool(torch.isfinite(value.float()).all()) for value in tensors.values()):
            raise UserError(f"The LoRA '{path}' is damaged; choose another step of the run, or restore the file.")
        return path.read_bytes()

    def records(self, name: str) -> list[dict[str, Any]]:
        """What samples.json or signals.json holds."""
        read = {"samples": run_files.read_samples, "signals": run_files.read_signals}
        return read[name](self.folder)

    def write_records(self, name: str, records: Sequence[Mapping[str, Any]]) -> None:
        """Replace samples.json or signals.json."""
        write_text(self.folder / f"{name}.json", json.dumps(list(records), indent=1, ensure_ascii=False))


def check_run_name(name: str) -> str:
    """A run's name as a folder's name. Raises UserError for one that cannot be."""
    name = name.strip()
    if not name or name.startswith(".") or name.endswith(".") or any(c in _FORBIDDEN or ord(c) < 32 for c in name):
        raise UserError(
            f"The run name {name!r} cannot be a folder's name; use letters, digits, blanks, - and _ and no slashes."
        )
    if len(name.encode()) > 100:
        raise UserError(f"The run name is {len(name.encode())} bytes long; it may have 100.")
    return name


def create_run(
    folder: Path, backend: Backend, options: TrainOptions, items: Sequence[Item], prompts: Sequence[Prompt]
) -> Run:
    """A new run with its first round planned. Raises UserError when the folder holds something else, for a model
    that cannot be trained, or options that are not for its kind."""
    if not hasattr(backend.denoiser, "predict"):
        raise UserError(
            f"Styles on {backend.family} models cannot be learned here; use mini, SD1.x, SD2.x, SDXL or a diffusion "
            "transformer in diffusers' layout, or stylize, which repaints after a picture."
        )
    check_kind_of_model(backend.denoiser, options)
    if not items:
        raise UserError("The data set is empty; give at least one picture of the style.")
    unique: dict[str, Item] = {}
    for item in items:
        unique.setdefault(item.id, item)
    with training_lock(folder):
        if any(file.name != TRAINING for file in folder.iterdir()):
            raise UserError(f"The run folder '{folder}' holds other files; give a new name or an empty folder.")
        run = Run(folder, model_identity(backend), options, tuple(unique.values()), tuple(prompts))
        run.add_round(options.steps)
        run.save()
        return open_run(folder)  # with the pictures as they were saved, so that a resumed run finds the very same


def open_run(folder: Path, backend: Backend | None = None) -> Run:
    """The run in a folder. Raises UserError when there is none, it is damaged, or it belongs to another model."""
    record = run_files.read_run(folder)
    items = tuple(
        Item(
            load_picture(run_files.original_path(folder, d["id"])).pixels,
            d["caption"],
            d["weight"],
            d["repeats"],
            d["origin"],
            d["id"],
        )
        for d in record["data"]
    )
    prompts = tuple(Prompt(p["prompt"], p["seed"]) for p in record["prompts"])
    options = from_json(record["options"])
    rounds = [r | {"options": with_present_names(r["options"])} for r in record["rounds"]]
    for planned in rounds:
        from_json(to_json(options) | planned["options"])  # their values are checked now, not in the middle
    run = Run(folder, record["model"], options, items, prompts, rounds, record["chosen"])
    if backend is not None and model_identity(backend) != run.model:
        raise UserError(
            f"The run '{folder}' was trained on another model ({run.model['name']}); load that one, or begin a new run."
        )
    return run


def model_identity(backend: Backend) -> dict[str, str]:
    """What tells models apart: family, and a digest over the network's parameters (their shapes and first values).

    A LoRA inside the network does not change it, nor another precision of its weights (`base_weights`).
    """
    as_loaded = digest_as_loaded(backend.denoiser.network)
    if as_loaded is not None:
        return {"name": backend.name, "family": backend.family, "digest": as_loaded}
    digest = hashlib.sha256()
    for name, value in sorted(backend.denoiser.network.named_parameters(), key=lambda p: _plain(p[0])):
        if ".lora_" not in name:
            first = value.detach().flatten()[:8].to("cpu", torch.float32)
            digest.update(f"{_plain(name)} {tuple(value.shape)} {first.tolist()}".encode())
    return {"name": backend.name, "family": backend.family, "digest": digest.hexdigest()[:16]}


def _plain(name: str) -> str:
    return name.replace(".base_layer.", ".")
