"""Families of diffusion transformers: what each says of its tokens, its positions and its attention.

One module a family, `family` what they have in common, `attention` how an edit gets at it. Nothing here imports
diffusers: a network is told by its class's name and read by its modules and attributes.
"""

from __future__ import annotations

from typing import Any

from ...errors import UserError
from .family import Family
from .flux import Flux
from .flux2 import Flux2
from .lumina2 import Lumina2
from .qwen_image import QwenImage
from .sd3 import SD3
from .z_image import ZImage

# By the class of diffusers' network.
CLASSES: dict[str, type[Family]] = {
    "SD3Transformer2DModel": SD3,
    "FluxTransformer2DModel": Flux,
    "QwenImageTransformer2DModel": QwenImage,
    "Lumina2Transformer2DModel": Lumina2,
    "ZImageTransformer2DModel": ZImage,
    "Flux2Transformer2DModel": Flux2,
}
NAMES = {name: family.name for name, family in CLASSES.items()}


def family_of(network: Any) -> Family:
    """What is known of a network. Raises ValueError (UserError) that names the family found and those supported."""
    for kind in type(network).__mro__:
        if kind.__name__ in CLASSES:
            return CLASSES[kind.__name__](network)
    raise UserError(f"The network is a {type(network).__name__}; {supported()} are supported.")


def supported() -> str:
    """The families, as a list in words."""
    *first, last = NAMES.values()
    return f"{', '.join(first)} and {last}"
