"""A plain LoRA file put into a network as an `Adapter`, to be switched off and on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import UserError
from .lora import Adapter
from .lora_formats.families import check_family
from .lora_formats.fit import check_shapes, check_strength
from .lora_formats.kinds import is_plain_lora, kind_of, rank_of
from .lora_formats.layouts import FileLayer
from .lora_formats.names import UNET, LayerNames
from .lora_formats.reading import read_layers
from .lora_formats.split import in_diffusers_names


def can_be_switched(layers: Sequence[FileLayer], names: Mapping[Any, str]) -> bool:
    """Whether a file is plain LoRA of one rank on layers of the network alone, so that `load` puts it in as it is."""
    known, modules = LayerNames(names.values()), {name: module for module, name in names.items()}
    layers = in_diffusers_names(list(layers), modules, "")
    for layer in layers:
        found = known.find(layer.key)
        if found is None or not is_plain_lora(layer) or not _holds_lora(modules[found.name]):
            return False
    return len({rank_of(layer) for layer in layers}) == 1


def load(network: Any, names: Mapping[Any, str], path: Path) -> Adapter:
    """Put a LoRA file into `network`, whose modules have the diffusers `names`. Its own layers alone, those of
    text models are refused.

    Layers of several ranks or alphas become ones of the largest rank, filled with zeros, the alphas in their weights:
    the same product. Raises UserError when the file is missing, broken, of another kind or family, or holds other
    layers.
    """
    known, by_name = LayerNames(names.values()), {name: module for module, name in names.items()}
    values: dict[str, Tensor] = {}
    scales: dict[str, tuple[int, float]] = {}
    modules: dict[nn.Module, str] = {}
    read = read_layers(path)
    check_family([layer.key for layer in read], by_name, str(path))
    for layer in in_diffusers_names(read, by_name, str(path)):
        found = known.find(layer.key)
        if found is None:
            raise UserError(f"The LoRA '{path}' does not fit: its layer '{layer.key}' {known.why_not(layer.key)}.")
        module = by_name[found.name]
        if not is_plain_lora(layer) or not _holds_lora(module):
            raise UserError(
                f"The LoRA '{path}' cannot be switched off and on: its layer '{layer.key}' is no plain LoRA "
                f"({kind_of(layer)}); merge it into a second copy of the model."
            )
        rank = rank_of(layer)
        assert found.part == UNET and rank is not None
        modules[module] = found.name
        scales[found.name] = (rank, _alpha(layer, rank))
        down, up = _shaped(layer, module, path)
        values |= {f"{found.name}.down": down, f"{found.name}.up": up}
    rank, alpha = next(iter(scales.values()))
    if len(set(scales.values())) > 1:
        rank = max(layer_rank for layer_rank, _ in scales.values())
        alpha = float(rank)
        for name, (layer_rank, layer_alpha) in scales.items():
            down, up = values[f"{name}.down"], values[f"{name}.up"]
            rows = down.new_zeros(rank - layer_rank, *down.shape[1:])
            columns = up.new_zeros(up.shape[0], rank - layer_rank, *up.shape[2:])
            values |= {
                f"{name}.down": torch.cat([down, rows]),
                f"{name}.up": torch.cat([up * (layer_alpha / layer_rank), columns], 1),
            }
    adapter = Adapter(network, modules, rank, alpha)
    adapter.load_values(values)
    return adapter


def _holds_lora(module: Any) -> bool:
    return isinstance(module, nn.Linear | nn.Conv2d)


def _alpha(layer: FileLayer, rank: int) -> float:
    """What, over the rank, is the layer's scale."""
    if layer.alpha is None:
        return float(rank)
    return layer.alpha * rank**0.5 if layer.rank_stabilized else layer.alpha


def _shaped(layer: FileLayer, module: Any, path: Path) -> tuple[Tensor, Tensor]:
    """The factors in the shapes that peft gives them (some files have a 1 x 1 convolution's as matrices)."""
    down, up, weight = layer["down"], layer["up"], module.weight
    check_shapes(layer, weight, None, str(path))
    check_strength(layer, weight, None, 1.0, str(path))
    rank, ones = down.shape[0], [1] * (weight.dim() - 2)
    return down.reshape(rank, *weight.shape[1:]), up.reshape(weight.shape[0], rank, *ones)
