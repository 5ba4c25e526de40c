"""Which network a MODEL has: a UNet, a diffusion transformer of a known family, or one that is refused by name."""

from __future__ import annotations

from typing import Any

from comfy.ldm.modules.diffusionmodules.openaimodel import UNetModel

from ....swf_core.errors import UserError
from .network import Network
from .transformer_families import FAMILIES, inspect_transformer
from .unet import inspect_unet


def inspect_network(model: Any) -> Network:
    """The network of a BaseModel. Raises UserError, naming the families, for one that is not supported."""
    network = model.diffusion_model
    if isinstance(network, UNetModel):
        return inspect_unet(model)
    found = inspect_transformer(network)
    if found is None:
        known = ", ".join(dict.fromkeys(family.name for family in FAMILIES.values()))
        raise UserError(
            f"Style transfer does not reach the attention of a {type(network).__name__}; use a MODEL of mini, SD1.x, "
            f"SD2.x, SDXL, {known}."
        )
    return found
