"""Merge a LoRA file into a backend's own weights: W <- W + weight * alpha / rank * up @ down.

Reads kohya's keys with diffusers module names (`lora_unet_down_blocks_0_..._to_q.lora_down.weight`, `.lora_up.weight`,
`.alpha`), linear and convolution layers, of the UNet (`lora_unet_`) and the text models (`lora_te_`, `lora_te1_`,
`lora_te2_`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import UserError
from . import lora_file
from .contracts import Backend


@torch.no_grad()
def merge_lora(backend: Backend, file: Path, weight: float = 1.0) -> int:
    """Change `backend`'s modules in place and return how many were changed.

    Load a second backend to keep the plain one. Raises ValueError (UserError) when the file is missing, broken, made
    for another model, or has layers of a kind that is not known here.
    """
    tensors, _ = lora_file.read(file)
    modules = _modules_by_key(backend)
    keys = sorted({key.split(".")[0] for key in tensors})
    unknown = [key for key in keys if key not in modules or f"{key}.lora_down.weight" not in tensors]
    if unknown or not keys:
        what = f"its layer '{unknown[0]}' is not in this model" if unknown else "there are no layers in it"
        raise UserError(f"The LoRA '{file}' does not fit {backend.name}: {what}; use one trained for this family.")
    deltas = {key: _delta(tensors, key, modules[key], file) for key in keys}  # all are checked before any is applied
    for key, delta in deltas.items():
        target = modules[key].weight
        target.add_((weight * delta).to(target.device, target.dtype))
    return len(keys)


def _modules_by_key(backend: Backend) -> dict[str, Any]:
    def named(prefix: str, network: nn.Module) -> dict[str, Any]:
        return {
            f"{prefix}_{name.replace('.', '_')}": module
            for name, module in network.named_modules()
            if isinstance(module, nn.Linear | nn.Conv2d)
        }

    modules = named("lora_unet", backend.denoiser.network)
    models = getattr(backend.text, "models", ())
    for index, model in enumerate(models):
        modules |= named(f"lora_te{index + 1}", model)
        if len(models) == 1:
            modules |= named("lora_te", model)
    return modules


def _delta(tensors: dict[str, Tensor], key: str, module: Any, file: Path) -> Tensor:
    try:
        down, up = tensors[f"{key}.lora_down.weight"].float(), tensors[f"{key}.lora_up.weight"].float()
        rank = down.shape[0]
        alpha = float(tensors[f"{key}.alpha"]) if f"{key}.alpha" in tensors else float(rank)
        product = (up.flatten(1) @ down.flatten(1)).reshape(module.weight.shape)
    except (KeyError, RuntimeError) as error:
        raise UserError(f"The LoRA '{file}' does not fit: layer '{key}' has another shape than the model's.") from error
    return product * (alpha / rank)
