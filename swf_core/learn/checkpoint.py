"""Checkpoints: weights, moments, step and losses in one file, so that a resumed training is exact."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from ..errors import UserError
from ..files import write_files
from ..models.lora import Adapter

NAME, TABLE = "state.safetensors", "loss.csv"


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
    from safetensors import safe_open

    with safe_open(checkpoint, "pt") as file:
        losses, rates = file.get_tensor("losses").tolist(), file.get_tensor("rates").tolist()
    write_files({folder / NAME: checkpoint.read_bytes(), folder / TABLE: _table(losses, rates)})


def load_checkpoint(
    folder: Path, adapter: Adapter, optimizer: torch.optim.AdamW
) -> tuple[int, list[float], list[float]]:
    """Step, losses and rates of the state in a folder, which is put into adapter and optimizer; 0 where there is none.

    Raises UserError when the file is damaged or belongs to another LoRA.
    """
    from safetensors import safe_open

    path = folder / NAME
    if not path.exists():
        return 0, [], []
    try:
        with safe_open(path, "pt") as file:
            step = int((file.metadata() or {})["step"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}
        adapter.load_values({n: tensors[f"weight.{n}"] for n in adapter.parameters()})
        for name, parameter in adapter.parameters().items():
            if f"first.{name}" in tensors:
                optimizer.state[parameter] = {
                    "step": torch.tensor(float(step)),
                    "exp_avg": tensors[f"first.{name}"].to(parameter.device),
                    "exp_avg_sq": tensors[f"second.{name}"].to(parameter.device),
                }
    except Exception as error:
        raise UserError(
            f"The training state '{path}' is damaged or of another LoRA; delete it to begin the run again."
        ) from error
    return step, tensors["losses"].tolist(), tensors["rates"].tolist()
