"""Reading a LoRA file of any kind: its layers, each checked for finite numbers, an alpha and a rank."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from ...errors import UserError
from .. import lora_file
from .kinds import Misfit, kind_of, rank_of
from .layouts import FileLayer, split_layers
from .peft_settings import apply_settings, settings_of


def read_layers(path: Path) -> list[FileLayer]:
    """The layers of a LoRA file. Raises UserError, naming file and layer, for whatever cannot be applied."""
    tensors, metadata = lora_file.read(path)
    return check_layers(tensors, str(path), metadata, path)


def check_layers(
    tensors: Mapping[str, Tensor], file: str, metadata: Mapping[str, str] | None = None, path: Path | None = None
) -> list[FileLayer]:
    """The layers of a LoRA's tensors that are already in memory; `file` names it in messages. See `read_layers`."""
    layers = split_layers(tensors, file)
    settings = settings_of(metadata or {}, path)
    for layer in layers:
        for role, tensor in layer.tensors.items():
            _check_finite(tensor, role, layer, file)
        layer.alpha = _number(layer, "alpha", file)
        on_input = _number(layer, "on_input", file)
        layer.on_input = None if on_input is None else bool(on_input)
        apply_settings(layer, settings, file)
        try:
            kind_of(layer)
            if rank_of(layer) == 0:
                raise Misfit("is empty: its rank is 0")
        except Misfit as misfit:
            raise UserError(
                f"The LoRA '{file}' cannot be applied: its layer '{layer.key}' {misfit}; save it again, or use "
                "another file."
            ) from None
    return layers


def _number(layer: FileLayer, role: str, file: str) -> float | None:
    """Take a tensor of one number out of the layer: 0-d, or one element in any shape."""
    tensor = layer.tensors.pop(role, None)
    if tensor is None:
        return None
    if tensor.numel() != 1:
        raise UserError(
            f"The LoRA '{file}' is damaged: '{role}' of its layer '{layer.key}' holds {tensor.numel()} numbers where "
            "one is needed; copy it again, or use another file."
        )
    return float(tensor.float().item())


def _check_finite(tensor: Tensor, role: str, layer: FileLayer, file: str) -> None:
    if tensor.is_complex() or not (tensor.is_floating_point() or role in ("alpha", "on_input")):
        raise UserError(
            f"The LoRA '{file}' cannot be applied: '{role}' of its layer '{layer.key}' is of type "
            f"{str(tensor.dtype).removeprefix('torch.')}; save it in float32, float16 or bfloat16."
        )
    values = tensor.float() if tensor.element_size() < 2 else tensor  # float8 has no test of its own
    if not bool(torch.isfinite(values).all()):
        what = "NaN" if bool(torch.isnan(values).any()) else "infinite values"
        raise UserError(
            f"The LoRA '{file}' is broken: '{role}' of its layer '{layer.key}' holds {what}, as after a training that "
            "diverged; use an earlier step of it, or another file."
        )
