"""Merge a LoRA file of any kind into a backend's own weights: W <- W + strength * what the file's layer adds.

The names are read by `lora_formats.names`, the kinds by `lora_formats.kinds`. For plain LoRA this is
W <- W + strength * alpha / rank * up @ down.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import UserError
from .contracts import Backend
from .lora_formats.families import check_family
from .lora_formats.fit import check_shapes, check_strength, float_difference
from .lora_formats.layouts import FileLayer
from .lora_formats.names import TEXT_1, TEXT_2, UNET, Layer, LayerNames
from .lora_formats.reading import read_layers
from .lora_formats.split import in_diffusers_names


@torch.no_grad()
def merge_lora(backend: Backend, file: Path, weight: float = 1.0) -> int:
    """Change `backend`'s modules in place and return how many layers of the file were merged.

    Load a second backend to keep the plain one. Raises ValueError (UserError) when the file is missing, broken, made
    for another model, or has layers of a kind that is not known; then nothing is changed.
    """
    modules = _modules(backend)
    network = {layer.name: module for layer, module in modules.items() if layer.part == UNET}
    layers = read_layers(file)
    check_family([layer.key for layer in layers], network, str(file), backend.name)
    layers = in_diffusers_names(layers, network, str(file))
    chosen = _choose(layers, modules, str(file), backend.name)
    for layer, module in chosen:
        bias = getattr(module, "bias", None)
        check_shapes(layer, module.weight, bias, str(file))
        check_strength(layer, module.weight, bias, weight, str(file))
    for layer, module in chosen:
        bias = getattr(module, "bias", None)
        for target, added in zip((module.weight, bias), float_difference(layer, module.weight, bias)):
            if target is not None and added is not None:
                target.add_((weight * added).to(target.device, target.dtype))
    return len(chosen)


def _modules(backend: Backend) -> dict[Layer, Any]:
    """Every module with a weight of the backend's UNet and text models."""

    def weighted(part: str, network: nn.Module) -> dict[Layer, Any]:
        return {
            Layer(part, name.removeprefix("text_model.")): module
            for name, module in network.named_modules()
            if isinstance(getattr(module, "weight", None), Tensor)
        }

    modules = weighted(UNET, backend.denoiser.network)
    for part, model in zip((TEXT_1, TEXT_2), getattr(backend.text, "models", ())):
        modules |= weighted(part, model)
    return modules


def _choose(layers: list[FileLayer], modules: dict[Layer, Any], file: str, model: str) -> list[tuple[FileLayer, Any]]:
    parts = {part: [layer.name for layer in modules if layer.part == part] for part in (UNET, TEXT_1, TEXT_2)}
    names = LayerNames(parts[UNET], [parts[part] for part in (TEXT_1, TEXT_2) if parts[part]])
    chosen: dict[Layer, FileLayer] = {}
    for layer in layers:
        found = names.find(layer.key)
        if found is None:
            raise UserError(
                f"The LoRA '{file}' does not fit {model}: its layer '{layer.key}' {names.why_not(layer.key)}; use one "
                "trained for this family."
            )
        if found in chosen:
            raise UserError(
                f"The LoRA '{file}' names one layer twice, '{chosen[found].key}' and '{layer.key}'; save it again."
            )
        chosen[found] = layer
    return [(layer, modules[found]) for found, layer in sorted(chosen.items(), key=lambda pair: pair[1].key)]
