"""A UNet of the host as the core knows it: its self-attention layers by name, and its family."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import comfy.utils
from comfy.ldm.modules.diffusionmodules.openaimodel import UNetModel
from comfy.model_base import ModelType

from ....swf_core.errors import UserError
from .network import Network

_QUERY = re.compile(r"(input|middle|output)_blocks?(?:\.(\d+))?\.1\.transformer_blocks\.(\d+)\.attn1\.to_q\.weight")


def inspect_unet(model: Any) -> Network:
    """The self-attention of a BaseModel's UNet. Raises UserError for models that are no Stable Diffusion UNet."""
    from ....swf_core.models.diffusers_backend import family_presets
    from ....swf_core.models.unet_denoiser import name_self_attention

    network = model.diffusion_model
    if not isinstance(network, UNetModel):
        raise UserError(f"This works on UNet models (mini, SD1.x, SD2.x, SDXL); a {type(network).__name__} was given.")
    config = model.model_config.unet_config
    to_host = {
        name.removesuffix(".to_q.weight"): host
        for name, host in comfy.utils.unet_to_diffusers(config).items()
        if name.endswith(".attn1.to_q.weight")
    }
    named = name_self_attention(to_host, len(config["channel_mult"]))
    layers, keys = {}, {}
    for name, layer in named.items():
        match = _QUERY.fullmatch(to_host[name])
        assert match is not None, to_host[name]
        key = network.get_submodule(to_host[name].replace(".to_q.weight", ".to_k"))
        layers[layer.name] = replace(layer, channels=key.out_features)
        keys[layer.name] = (match[1], int(match[2] or 0) if match[1] != "middle" else 0, int(match[3]))
    family = _family(model)
    presets = {"all": "all", **family_presets(family, list(layers.values()))}
    return Network(layers, keys, family, presets, _native_size(model, family))


def _native_size(model: Any, family: str) -> int:
    from ....swf_core.models.mini import NATIVE_SIZE_PX

    if family == "SD2.x":  # the released 768 models predict v, the 512 ones noise
        return 768 if model.model_type is ModelType.V_PREDICTION else 512
    return {"mini": NATIVE_SIZE_PX, "SDXL": 1024}.get(family, 512)


def _family(model: Any) -> str:
    from ..native_mini import MiniConfig

    if isinstance(model.model_config, MiniConfig):
        return "mini"
    config = model.model_config.unet_config
    if config.get("adm_in_channels") is not None:
        return "SDXL"
    return "SD2.x" if config.get("use_linear_in_transformer") else "SD1.x"
