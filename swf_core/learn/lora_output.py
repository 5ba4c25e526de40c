"""The LoRA files of a run: of each saved step, and the chosen one that is the run's."""

from __future__ import annotations

from typing import Any

from ..errors import UserError
from ..files import write_files
from ..models import lora_file
from ..models.contracts import Backend
from ..models.lora import Adapter
from .options import TrainOptions
from .run import Run


def save_lora(
    run: Run, backend: Backend, adapter: Adapter, options: TrainOptions, step: int, metadata: bool = True
) -> None:
    """Write the LoRA of a step; `metadata`: whether the file says how it was made."""
    write_files({run.lora_path(step): _lora_bytes(run, backend, adapter, options, step, metadata)})


def hand_over(run: Run, backend: Backend, adapter: Adapter, last: int, metadata: bool = True) -> None:
    """Make the chosen step's LoRA, else that of the last, the run's; one that cannot be read replaces nothing."""
    step = run.chosen or last
    if not run.lora_path(step).exists():
        return
    try:
        data = run.lora_bytes(step)
    except UserError:
        if step != last:
            raise
        # Its weights are in the network: it is written again.
        save_lora(run, backend, adapter, run.round_options(-1), last, metadata)
        data = run.lora_bytes(step)
    target = run.folder / "lora.safetensors"
    if not target.exists() or target.read_bytes() != data:
        write_files({target: data})


def _lora_bytes(
    run: Run, backend: Backend, adapter: Adapter, options: TrainOptions, step: int, metadata: bool
) -> bytes:
    if not metadata:
        return lora_file.to_bytes(adapter, strength=options.strength, layout=options.lora_layout)
    network: Any = backend.denoiser
    picks = max((len(r["picks"]) for r in run.rounds), default=0)
    provenance = lora_file.Provenance(
        family=backend.family,
        prediction=network.prediction_type,
        title=run.folder.name,
        size_px=options.size_px or backend.native_size_px,
        steps=step,
        learning_rate=options.learning_rate,
        seed=options.seed,
        pictures=len(run.items),
        own={"captions": [i.caption for i in run.items], "run": run.model, "picks": picks},
    )
    described = lora_file.describe(adapter, provenance, options.strength)
    return lora_file.to_bytes(adapter, described, strength=options.strength, layout=options.lora_layout)
