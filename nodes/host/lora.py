"""A LoRA put on a MODEL: read and checked by the core, so that nothing goes unsaid, applied by the host's loader."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import comfy.lora
import comfy.sd
import comfy.utils
import torch
from comfy.ldm.modules.diffusionmodules.openaimodel import UNetModel
from torch import Tensor

from ...swf_core.errors import UserError
from ...swf_core.models.lora_formats.families import families_of_file
from ...swf_core.models.lora_formats.fit import check_shapes, check_strength
from ...swf_core.models.lora_formats.kinds import kind_of, rank_of, scale_of, tucker
from ...swf_core.models.lora_formats.layouts import FileLayer
from ...swf_core.models.lora_formats.names import LayerNames
from ...swf_core.models.lora_formats.reading import check_layers
from .transfer.transformer_families import inspect_transformer

_TEXT = ("lora_te", "text_encoder", "text_model", "base_model.model.text_model")
# The core's roles that the host's loader knows under another key.
_HOST_KEYS = {role: f"lora_{role}.weight" for role in ("down", "up", "mid")} | {
    role: f"{role}.weight" for role in ("a1", "a2", "b1", "b2", "bm")
}
_UNKNOWN_TO_HOST = ("IA3", "IA3 of peft")


def put_lora(model: Any, tensors: Mapping[str, Tensor], strength: float, file: str) -> Any:
    """A clone of a MODEL with a LoRA of any layout; its layers of text models are left out, with a line in the log.

    Raises UserError, naming `file` and the layer, for what is broken, made for another model, or of a kind that the
    host has no loader for.
    """
    layers = check_layers(tensors, file)
    if not isinstance(model.model.diffusion_model, UNetModel):
        return _put_on_transformer(model, tensors, layers, strength, file)
    host_names = {
        name.removesuffix(".weight"): other
        for name, other in comfy.utils.unet_to_diffusers(model.model.model_config.unet_config).items()
        if name.endswith(".weight")
    }
    weights = model.model.diffusion_model.state_dict()
    names = LayerNames(name for name, other in host_names.items() if other in weights)
    renamed: dict[str, Tensor] = {}
    left_out = []
    for layer in layers:
        found = names.find(layer.key)
        if found is None and layer.key.startswith(_TEXT):
            left_out.append(layer.key)
            continue
        if found is None:
            raise UserError(f"The LoRA '{file}' does not fit: its layer '{layer.key}' {names.why_not(layer.key)}.")
        other = host_names[found.name]
        weight, bias = weights[other], weights.get(other.removesuffix("weight") + "bias")
        check_shapes(layer, weight, bias, file)
        if weight.is_floating_point() and weight.element_size() > 1:
            check_strength(layer, weight, bias, strength, file)
        renamed |= _for_host(layer, "lora_unet_" + found.name.replace(".", "_"), file)
    _say_left_out(left_out, file)
    return comfy.sd.load_lora_for_models(model, None, renamed, strength, 0.0)[0]


def _put_on_transformer(
    model: Any, tensors: Mapping[str, Tensor], layers: Sequence[FileLayer], strength: float, file: str
) -> Any:
    """The same on a diffusion transformer, whose layers the host knows by the names of several makers."""
    known, weights = comfy.lora.model_lora_keys_unet(model.model, {}), model.model.state_dict()
    left_out = [layer.key for layer in layers if layer.key not in known and layer.key.startswith(_TEXT)]
    for layer in layers:
        if layer.key in left_out:
            continue
        if layer.key not in known:
            raise UserError(f"The LoRA '{file}' does not fit: {_why_not(model, layers, layer.key)}.")
        place = known[layer.key]
        name, part = (place, None) if isinstance(place, str) else place[:2]
        weight = weights[name] if part is None else weights[name].narrow(*part)
        check_shapes(layer, weight, weights.get(name.removesuffix("weight") + "bias"), file)
    _say_left_out(left_out, file)
    return comfy.sd.load_lora_for_models(model, None, dict(tensors), strength, 0.0)[0]


def _why_not(model: Any, layers: Sequence[FileLayer], key: str) -> str:
    """Why a layer has no place in a transformer, with the families that its file can be of."""
    network = inspect_transformer(model.model.diffusion_model)
    family = type(model.model.diffusion_model).__name__ if network is None else network.family
    families, narrow = families_of_file(layer.key for layer in layers)
    if families and family not in families:
        return f"its layer '{narrow}' belongs to {' or '.join(families)}, and this MODEL is {family}"
    return f"its layer '{key}' is none of this {family} model's"


def _say_left_out(layers: Sequence[str], file: str) -> None:
    if layers:
        logging.getLogger("StyleWallfacer").warning(
            "The LoRA '%s' has %d layers for text models, which are left out: they need a CLIP.", file, len(layers)
        )


def _for_host(layer: FileLayer, name: str, file: str) -> dict[str, Tensor]:
    """A layer's tensors under keys that the host's loader knows."""
    if kind_of(layer) in _UNKNOWN_TO_HOST or "up_bias" in layer:
        raise UserError(
            f"The LoRA '{file}' cannot be put on a MODEL: its layer '{layer.key}' is an IA3 or has a bias of its own, "
            "for which ComfyUI has no loader; use it on the command line, or another LoRA."
        )
    if "lokr_t2" in layer:
        layer = _without_core(layer)
    tensors = {f"{name}.{_HOST_KEYS.get(role, role)}": tensor for role, tensor in layer.tensors.items()}
    magnitude = tensors.pop(f"{name}.magnitude", None)
    if magnitude is not None:
        ones = [1] * (layer["down"].dim() - 1)
        tensors[f"{name}.dora_scale"] = magnitude.reshape(-1, *ones)
    if layer.alpha is not None:
        rank = rank_of(layer)
        factor = rank**0.5 if layer.rank_stabilized and rank else 1.0
        tensors[f"{name}.alpha"] = torch.tensor(layer.alpha * factor)
    return tensors


def _without_core(layer: FileLayer) -> FileLayer:
    """A LoKr whose second factor is whole: from a core (Tucker) the host's loader makes one that it then cannot use."""
    core, a, b = (layer[role].float() for role in ("lokr_t2", "lokr_w2_a", "lokr_w2_b"))
    rest = {role: t for role, t in layer.tensors.items() if role not in ("lokr_t2", "lokr_w2_a", "lokr_w2_b")}
    if "lokr_w1_a" in rest:
        rest["lokr_w1"] = rest.pop("lokr_w1_a").float() @ rest.pop("lokr_w1_b").float()
    whole = scale_of(layer) * tucker(core, a.T, b)
    return replace(layer, tensors={**rest, "lokr_w2": whole.contiguous()}, alpha=None)
