"""The self-attention layers of the host's UNet under the core's names, and the model's family."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

import comfy.utils
from comfy.ldm.modules.diffusionmodules.openaimodel import UNetModel
from comfy.model_base import ModelType

from ....swf_core.errors import UserError
from ....swf_core.models.contracts import AttentionLayer

# Where the host keeps one layer's replacement: block kind, block number, transformer layer in it.
Key = tuple[str, int, int]

_QUERY = re.compile(r"(input|middle|output)_blocks?(?:\.(\d+))?\.1\.transformer_blocks\.(\d+)\.attn1\.to_q\.weight")


@dataclass(frozen=True)
class Unet:
    """What is known of a model before it is loaded: layers by the core's name with the host's key, family, presets of
    layers, and the long side of the pictures that it was trained at."""

    layers: dict[str, AttentionLayer]
    keys: dict[str, Key]
    family: str
    presets: dict[str, str]
    native_size_px: int


def inspect_unet(model: Any) -> Unet:
    """The self-attention of a BaseModel. Raises UserError for models that are no Stable Diffusion UNet."""
    from ....swf_core.models.diffusers_backend import family_presets
    from ....swf_core.models.unet_denoiser import name_self_attention

    network = model.diffusion_model
    if not isinstance(network, UNetModel):
        raise UserError(
            f"Not supported yet: {type(network).__name__}. Style transfer works on UNet models (mini, SD1.x, SD2.x, "
            "SDXL); transformer and flow models such as Flux or SD3 follow later."
        )
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
    return Unet(layers, keys, family, presets, _native_size(model, family))


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
