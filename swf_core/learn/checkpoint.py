"""Checkpoints: weights, moments, step and losses in one file, so that a resumed training is exact."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median

import torch
from torch import Tensor, nn

from ..errors import UserError
from ..files import write_files
from ..models.lora import Adapter

NAME, TABLE = "state.safetensors", "loss.csv"
EXPLODED = 10  # times the median loss: the loss of a step is mostly the luck of its level, but never like that


def new_optimizer(parameters: dict[str, nn.Parameter], weight_decay: float) -> torch.optim.AdamW:
    """AdamW (Loshchilov and Hutter, arXiv 1711.05101); the rate is set at each step."""
    return torch.optim.AdamW(parameters.values(), lr=0.0, weight_decay=weight_decay, foreach=True)


def save_checkpoint(
    folder: Path, step: int, adapter: Adapter, optimizer: torch.optim.AdamW, losses: list[float], rates: list[float]
) -> None:
    """Write the checkpoint, and the losses as a table beside it."""
    from safetensors.torch import save as encode

    tensors = {}
    for name, parameter in adapter.parameters().items():
        tensors[f"weight.{name}"] = parameter.detach().cpu()
        moments = optimizer.state.get(parameter)
        if moments:
            tensors[f"first.{name}"] = moments["exp_avg"].cpu()
            tensors[f"second.{name}"] = moments["exp_avg_sq"].cpu()
    tensors["losses"] = torch.tensor(losses, dtype=torch.float64)
    tensors["rates"] = torch.tensor(rates, dtype=torch.float64)
    data = encode({k: v.contiguous() for k, v in tensors.items()}, {"step": str(step)})
    write_files({folder / NAME: data, folder / TABLE: _table(losses, rates)})


def _table(losses: list[float], rates: list[float]) -> bytes:
    rows = (f"{k},{loss:.6f},{rate:.3g}\n" for k, (loss, rate) in enumerate(zip(losses, rates), 1))
    return ("step,loss,learning_rate\n" + "".join(rows)).encode()


def checkpoint_path(folder: Path, step: int) -> Path:
    """The checkpoint of a round's last step, from which a run can be continued once more."""
    return folder / "states" / f"step_{step:06d}.safetensors"


def keep_checkpoint(folder: Path, step: int) -> None:
    """Keep the checkpoint as it is now, at a round's last step."""
    if not checkpoint_path(folder, step).exists():
        write_files({checkpoint_path(folder, step): (folder / NAME).read_bytes()})


def restore_checkpoint(checkpoint: Path, folder: Path) -> None:
    """Make a kept checkpoint the one that a folder is resumed from, with its table of losses."""
    state = read_checkpoint(checkpoint)
    write_files({folder / NAME: checkpoint.read_bytes(), folder / TABLE: _table(state.losses, state.rates)})


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint holds: the step, a loss and a learning rate for each step, weights and moments by name."""

    step: int
    losses: list[float]
    rates: list[float]
    tensors: dict[str, Tensor]

    @property
    def is_sound(self) -> bool:
        """Whether one can go on from it: all numbers are finite, and its last losses are not far above the others."""
        if not all(bool(torch.isfinite(value).all()) for value in self.tensors.values()):
            return False
        last = min(10, len(self.losses) // 2)
        return not last or mean(self.losses[-last:]) <= EXPLODED * median(self.losses[:-last])


def read_checkpoint(path: Path) -> Checkpoint:
    """A checkpoint's file. Raises UserError when it is missing, damaged, or no checkpoint."""
    from safetensors import safe_open

    try:
        with safe_open(path, "pt") as file:
            step = int((file.metadata() or {})["step"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}
        losses, rates = (tensors.pop(name).double().tolist() for name in ("losses", "rates"))
        if not len(losses) == len(rates) == step:
            raise ValueError("a loss and a rate for each step")
    except Exception as error:  # whatever safetensors raises, and whatever is missing in the file
        raise UserError(_damaged(path)) from error
    return Checkpoint(step, losses, rates, tensors)


def saved_losses(folder: Path) -> list[float]:
    """The loss of each step, as loss.csv shows them; that table is for people and is not read again."""
    path = folder / NAME
    return read_checkpoint(path).losses if os.path.lexists(path) else []


def _damaged(path: Path) -> str:
    return f"The training state '{path}' is damaged or of another LoRA; delete it to begin the run again."


def load_checkpoint(
    folder: Path, adapter: Adapter, optimizer: torch.optim.AdamW
) -> tuple[int, list[float], list[float]]:
    """Step, losses and rates of the state in a folder, which is put into adapter and optimizer; 0 where there is none.

    Raises UserError when the file is damaged or belongs to another LoRA.
    """
    path = folder / NAME
    if not os.path.lexists(path):
        return 0, [], []
    state = read_checkpoint(path)
    parameters = adapter.parameters()
    moments = {name for name in parameters if f"first.{name}" in state.tensors}
    expected = {f"weight.{name}": value for name, value in parameters.items()}
    expected |= {f"{kind}.{name}": parameters[name] for name in moments for kind in ("first", "second")}
    if expected.keys() != state.tensors.keys() or any(
        state.tensors[name].shape != value.shape for name, value in expected.items()
    ):
        raise UserError(_damaged(path))
    adapter.load_values({name: state.tensors[f"weight.{name}"] for name in parameters})
    for name in moments:
        device = parameters[name].device
        optimizer.state[parameters[name]] = {
            "step": torch.tensor(float(state.step)),
            "exp_avg": state.tensors[f"first.{name}"].to(device),
            "exp_avg_sq": state.tensors[f"second.{name}"].to(device),
        }
    return state.step, state.losses, state.rates
