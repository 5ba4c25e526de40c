"""Layers of a LoRA file in their makers' names, as those of diffusers' network: renamed, and fused ones split.

A fused layer W has the rows of several parts one after another, and so has up in W + scale up @ down: each part takes
its rows of up and all of down, which is exact.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch

from ...errors import UserError
from .families import family_of_network
from .kinds import is_plain_lora, kind_of, rank_of, scale_of
from .layouts import FileLayer
from .makers_names import MakersLayer, makers_layers
from .names import UNET, split_front


def in_diffusers_names(layers: list[FileLayer], modules: Mapping[str, Any], file: str) -> list[FileLayer]:
    """The layers with those in makers' names replaced by diffusers'; others, and all of a UNet, are as they were.

    `modules`: of the network, by diffusers' names. Raises UserError for a fused layer of another size than the
    network's, or of a kind that cannot be split.
    """
    made = makers_layers(modules, family_of_network(modules))
    by_flat_name = {layer.name.replace(".", "_"): layer for layer in made}
    found: list[FileLayer] = []
    for layer in layers:
        part, rest = split_front(layer.key)
        maker = by_flat_name.get(rest.replace(".", "_")) if part in (UNET, None) else None
        if maker is None:
            found.append(layer)
        elif len(maker.parts) == 1 and not maker.swapped:
            found.append(replace(layer, key=f"transformer.{maker.parts[0]}"))
        else:
            found += _split(layer, maker, [modules[name].weight.shape[0] for name in maker.parts], file)
    return found


def _split(layer: FileLayer, maker: MakersLayer, rows: list[int], file: str) -> list[FileLayer]:
    if not is_plain_lora(layer):
        raise UserError(
            f"The LoRA '{file}' cannot be applied: its layer '{layer.key}' stands for {len(maker.parts)} layers of the "
            f"model, and a {kind_of(layer)} cannot be split into them; use a plain LoRA."
        )
    down, up, rank = layer["down"], layer["up"], rank_of(layer)
    if up.shape[0] != sum(rows):
        raise UserError(
            f"The LoRA '{file}' does not fit: layer '{layer.key}' has another shape than the model's ({up.shape[0]} "
            f"rows instead of {sum(rows)})."
        )
    if maker.swapped:
        up = torch.cat(up.chunk(2)[::-1])
    assert rank is not None
    scale, parts = scale_of(layer), []
    for name, part_up in zip(maker.parts, up.split(rows)):
        # What other parts alone use is left out: a file that was fused from parts comes apart into the very same.
        used = (part_up != 0).flatten(2).any(-1).any(0) if part_up.dim() > 2 else (part_up != 0).any(0)
        if bool(used.any()) and not bool(used.all()):
            tensors = {"down": down[used].contiguous(), "up": part_up[:, used].contiguous()}
        else:
            tensors = {"down": down, "up": part_up.contiguous()}
        alpha = scale * tensors["down"].shape[0]
        part = replace(layer, key=f"transformer.{name}", tensors=tensors, alpha=alpha, rank_stabilized=False)
        parts.append((bool(used.any()), part))
    kept = [part for is_used, part in parts if is_used]
    return kept or [part for _, part in parts]
