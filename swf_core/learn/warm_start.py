"""Warm start: a lesson that begins from the LoRA of an earlier one, whose style is the nearest in a bank of lessons.

Nearness is measured where the model sees: by the mean and the covariance of latent channels, which say tones and the
roughness of marks and nothing of the layout.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from ..errors import UserError
from ..files import write_text
from ..models.contracts import Backend
from ..models.lora import Adapter
from ..models.lora_targets import choose_modules
from .checkpoint import NAME, new_optimizer, read_checkpoint, save_checkpoint
from .dataset import Item
from .latent_cache import encode_pictures, view
from .options import TrainOptions
from .run import Run, model_identity, open_run

SAME = ("targets", "rank", "alpha")  # options that give two LoRAs the same tensors


def nearest_lesson(bank: Path, backend: Backend, items: Sequence[Item], options: TrainOptions) -> Run | None:
    """The finished lesson of this model whose pictures are nearest to `items`; None where the bank has none."""
    wanted = style_statistics(backend, items)
    distances = [
        (float((style_statistics(backend, run.items) - wanted).norm()), run.folder.name, run)
        for run in lessons_of(bank, backend, options)
        if {item.id for item in run.items} != {item.id for item in items}
    ]
    return min(distances, key=lambda entry: entry[:2])[2] if distances else None


def lessons_of(bank: Path, backend: Backend, options: TrainOptions) -> list[Run]:
    """The finished lessons of a bank that this model could go on from; what is no lesson is passed over."""
    found = []
    for file in sorted(bank.glob("*/lora.safetensors")):
        try:
            run = open_run(file.parent)
        except UserError:
            continue
        alike = all(getattr(run.options, name) == getattr(options, name) for name in SAME)
        if alike and run.model == model_identity(backend) and (run.folder / NAME).exists():
            found.append(run)
    return found


def style_statistics(backend: Backend, items: Sequence[Item]) -> Tensor:
    """Mean and covariance of the latents' channels over all pictures, one vector."""
    size = backend.native_size_px
    plain = TrainOptions(views=1)
    latents = [encode_pictures(backend, view(item, (size, size), 0, plain)) for item in items]
    cells = torch.cat([latent.float().flatten(2).movedim(1, 0).flatten(1) for latent in latents], 1)
    return torch.cat([cells.mean(1), torch.cov(cells).flatten()]).cpu()


def begin_from(run: Run, backend: Backend, earlier: Run, note: Path) -> None:
    """Give a run that has not begun the weights of an earlier one, with moments of its own, and note which it was.

    A resumed training reads its checkpoint: the weights are laid there as those of step 0.
    """
    options = run.options
    network = backend.denoiser
    modules = choose_modules(network.module_names, options.targets)
    adapter = Adapter.new(network.network, modules, options.rank, options.scale, options.seed)
    try:
        state = read_checkpoint(earlier.folder / NAME)
        adapter.load_values({name: state.tensors[f"weight.{name}"] for name in adapter.parameters()})
        optimizer = new_optimizer(adapter.parameters(), options.weight_decay)
        save_checkpoint(run.folder, 0, adapter, optimizer, [], [])
        write_text(note, earlier.folder.name)
    finally:
        adapter.remove()
