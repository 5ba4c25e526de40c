"""The tensors of a LoRA file for a diffusion transformer, in that of two layouts which its readers want.

"diffusers": `transformer.NAME.lora_A.weight` and `lora_B`, with diffusers' names. diffusers reads it for every family
and ComfyUI (`comfy/lora.py` of 0.3.64) for Flux, Stable Diffusion 3 and Qwen-Image. It has no alpha: Stable Diffusion
3's loader refuses one, so the scale is in B.

"kohya": `lora_unet_NAME.lora_down.weight`, `lora_up` and `alpha`, with the makers' names. sd-scripts reads no other,
ComfyUI reads it for every family, diffusers for Flux at its full size and Z-Image. Parts that diffusers holds apart
stand side by side in one layer: its rank is the sum of theirs, and up is block diagonal.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from .families import family_of_network
from .makers_names import makers_layers

Factors = tuple[Tensor, Tensor]  # down [rank, in], up [out, rank]


def to_diffusers(parameters: Mapping[str, Tensor], scale: float, dtype: torch.dtype) -> dict[str, Tensor]:
    """From `Adapter.parameters`; `scale`: alpha / rank."""
    tensors = {}
    for name, (down, up) in _factors(parameters).items():
        tensors[f"transformer.{name}.lora_A.weight"] = _on_disk(down, dtype)
        tensors[f"transformer.{name}.lora_B.weight"] = _on_disk(up * scale, dtype)
    return tensors


def to_makers(
    parameters: Mapping[str, Tensor], scale: float, rows: Mapping[str, int], dtype: torch.dtype
) -> dict[str, Tensor]:
    """From `Adapter.parameters`; `rows`: outputs of each layer of the network that a LoRA could have."""
    factors = _factors(parameters)
    layers: dict[str, Factors] = {}
    for maker in makers_layers(rows, family_of_network(rows)):
        own = {name: factors.pop(name) for name in maker.parts if name in factors}
        if own:
            down, up = _side_by_side(own, {name: rows[name] for name in maker.parts})
            layers[maker.name] = down, torch.cat(up.chunk(2)[::-1]) if maker.swapped else up
    layers |= factors  # what has one name everywhere
    tensors = {}
    for name, (down, up) in layers.items():
        key = "lora_unet_" + name.replace(".", "_")
        tensors[f"{key}.lora_down.weight"] = _on_disk(down, dtype)
        tensors[f"{key}.lora_up.weight"] = _on_disk(up, dtype)
        tensors[f"{key}.alpha"] = torch.tensor(scale * down.shape[0])
    return tensors


def _side_by_side(own: Mapping[str, Factors], rows: Mapping[str, int]) -> Factors:
    """One layer of several: [sum of ranks, in] and [sum of rows, sum of ranks], zero where a part has no LoRA."""
    downs = [down for down, _ in own.values()]
    rank = sum(down.shape[0] for down in downs)
    parts, column = [], 0
    for name, count in rows.items():
        part = downs[0].new_zeros(count, rank)
        if name in own:
            up = own[name][1]
            part[:, column : column + up.shape[1]] = up
            column += up.shape[1]
        parts.append(part)
    return torch.cat(downs), torch.cat(parts)


def _factors(parameters: Mapping[str, Tensor]) -> dict[str, Factors]:
    names = [name.removesuffix(".down") for name in parameters if name.endswith(".down")]
    return {name: (parameters[f"{name}.down"].detach(), parameters[f"{name}.up"].detach()) for name in names}


def _on_disk(value: Tensor, dtype: torch.dtype) -> Tensor:
    return value.to("cpu", dtype).contiguous()
