"""Which family of models a network is of, by the names of its layers; and of which ones a LoRA file can be."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ...errors import UserError

UNET_FAMILIES = "SD1.x, SD2.x or SDXL"
# What only a network of the family has, by diffusers' names; the first that fits is taken.
_NETWORKS = (
    (r"(down|up)_blocks\.\d|mid_block\.", UNET_FAMILIES),
    (r"single_transformer_blocks\.0\.attn\.to_qkv_mlp_proj$", "Flux.2"),
    (r"distilled_guidance_layer\.", "Chroma"),
    (r"joint_transformer_blocks\.", "AuraFlow"),
    (r"single_transformer_blocks\.0\.proj_mlp$", "Flux"),
    (r"transformer_blocks\.0\.img_mlp\.", "Qwen-Image"),
    (r"transformer_blocks\.0\.attn\.add_q_proj$", "SD3"),
    (r"layers\.0\.attn\.to_q$", "Lumina2"),
    (r"layers\.0\.attention\.to_q$", "Z-Image"),
    (r"double_stream_blocks\.", "HiDream"),
)
# What the keys of a LoRA file say, dots as underscores, and the families that have such layers.
_FILES = (
    (r"(?:^|_)(?:down_blocks|up_blocks|input_blocks|output_blocks)_\d|(?:^|_)mid(?:dle)?_block_", (UNET_FAMILIES,)),
    (r"to_qkv_mlp_proj|(?:^|_)ff(?:_context)?_linear_(?:in|out)", ("Flux.2",)),
    (r"(?:^|_)joint_transformer_blocks_\d", ("AuraFlow",)),
    (r"single_transformer_blocks_\d+_(?:proj_mlp|proj_out|norm_)", ("Flux", "Chroma")),
    (r"single_transformer_blocks_\d", ("Flux", "Chroma", "AuraFlow")),
    (r"(?:^|_)(?:double|single)_blocks_\d", ("Flux", "Chroma", "Flux.2")),
    (r"(?:^|_)joint_blocks_\d", ("SD3",)),
    (r"(?:^|_)transformer_blocks_\d+_(?:img|txt)_m(?:lp|od)_", ("Qwen-Image",)),
    (r"(?:^|_)transformer_blocks_\d+_attn2_", ("SD3",)),
    (r"(?:^|_)transformer_blocks_\d+_(?:ff|norm1)", ("SD3", "Flux", "Chroma")),
    (r"(?:^|_)transformer_blocks_\d+_attn_", ("SD3", "Flux", "Chroma", "Qwen-Image", "Flux.2")),
    (r"(?:layers|_refiner)_\d+_attn_to_", ("Lumina2",)),
    (r"(?:layers|_refiner)_\d+_attention_to_", ("Z-Image",)),
    (r"(?:layers|_refiner)_\d+_(?:attention|feed_forward|adaLN)", ("Lumina2", "Z-Image")),
    (r"(?:double|single)_stream_blocks_\d", ("HiDream",)),
    (r"(?:^|_)blocks_\d+_(?:self|cross)_attn", ("Wan",)),
)


def family_of_network(names: Iterable[str]) -> str | None:
    """The family of a network whose modules have these diffusers names, `UNET_FAMILIES` for a UNet; None: unknown."""
    known = list(names)
    for pattern, family in _NETWORKS:
        if any(re.match(pattern, name) for name in known):
            return family
    return None


def families_of_file(keys: Iterable[str]) -> tuple[tuple[str, ...], str]:
    """The families that a file with layers of these keys can be of, and the key that says so; none where nothing does.

    What the file says most narrowly counts: attention alone is named alike in several families.
    """
    found: tuple[tuple[str, ...], str] = (), ""
    for key in keys:
        flat = key.replace(".", "_")
        families = next((families for pattern, families in _FILES if re.search(pattern, flat)), ())
        if families and (not found[0] or len(families) < len(found[0])):
            found = families, key
    return found


def check_family(keys: Iterable[str], names: Iterable[str], file: str, model: str = "") -> None:
    """Raise UserError, which names both families, where a file is of another one than a network with these `names`.

    `model`: the network's own name.
    """
    (families, key), family = families_of_file(keys), family_of_network(names)
    if families and family is not None and family not in families:
        raise UserError(
            f"The LoRA '{file}' does not fit{model and ' ' + model}: its layer '{key}' belongs to a model of another "
            f"build, {' or '.join(families)}, and this model is {family}; use one trained for this family."
        )
