"""The names that the makers of diffusion transformers gave their layers, and which layers of diffusers each one is.

ComfyUI and sd-scripts build the networks of Flux, Stable Diffusion 3, Lumina 2 and Z-Image by their makers' names, with
one layer for the queries, keys and values that diffusers holds apart. Qwen-Image has diffusers' names everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_QKV, _ADDED_QKV = ("to_q", "to_k", "to_v"), ("add_q_proj", "add_k_proj", "add_v_proj")
_Blocks = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class MakersLayer:
    """A layer by its makers' `name`, whose rows are those of diffusers' `parts` one after another.

    swapped: the halves of its rows, shift and scale, stand the other way round.
    """

    name: str
    parts: tuple[str, ...]
    swapped: bool = False


def _under(front: str, names: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"{front}.{name}" for name in names)


def _double(first: str, second: str) -> _Blocks:
    """Flux's double blocks; `first`, `second`: diffusers' layers of the feed-forward."""
    return {
        "img_attn.qkv": _under("attn", _QKV),
        "txt_attn.qkv": _under("attn", _ADDED_QKV),
        "img_attn.proj": ("attn.to_out.0",),
        "txt_attn.proj": ("attn.to_add_out",),
        "img_mlp.0": (f"ff.{first}",),
        "img_mlp.2": (f"ff.{second}",),
        "txt_mlp.0": (f"ff_context.{first}",),
        "txt_mlp.2": (f"ff_context.{second}",),
        "img_mod.lin": ("norm1.linear",),
        "txt_mod.lin": ("norm1_context.linear",),
    }


_SINGLE = {
    "linear1": (*_under("attn", _QKV), "proj_mlp"),
    "linear2": ("proj_out",),
    "modulation.lin": ("norm.linear",),
}
_SINGLE_2 = {"linear1": ("attn.to_qkv_mlp_proj",), "linear2": ("attn.to_out",)}
_JOINT = {
    "x_block.attn.qkv": _under("attn", _QKV),
    "context_block.attn.qkv": _under("attn", _ADDED_QKV),
    "x_block.attn2.qkv": _under("attn2", _QKV),
    "x_block.attn.proj": ("attn.to_out.0",),
    "x_block.attn2.proj": ("attn2.to_out.0",),
    "context_block.attn.proj": ("attn.to_add_out",),
    "x_block.mlp.fc1": ("ff.net.0.proj",),
    "x_block.mlp.fc2": ("ff.net.2",),
    "context_block.mlp.fc1": ("ff_context.net.0.proj",),
    "context_block.mlp.fc2": ("ff_context.net.2",),
    "x_block.adaLN_modulation.1": ("norm1.linear",),
    "context_block.adaLN_modulation.1": ("norm1_context.linear",),
}
_LUMINA = {
    "attention.qkv": _under("attn", _QKV),
    "attention.out": ("attn.to_out.0",),
    **{f"feed_forward.w{k}": (f"feed_forward.linear_{k}",) for k in (1, 2, 3)},
    "adaLN_modulation.1": ("norm1.linear",),
}
_Z_IMAGE = {"attention.qkv": _under("attention", _QKV), "attention.out": ("attention.to_out.0",)}
_STACKS = ("layers", "noise_refiner", "context_refiner")
# Family -> (the makers' list of blocks, diffusers', the layers in each).
_FAMILIES: Mapping[str, tuple[tuple[str, str, _Blocks], ...]] = {
    "Flux": (
        ("double_blocks", "transformer_blocks", _double("net.0.proj", "net.2")),
        ("single_blocks", "single_transformer_blocks", _SINGLE),
    ),
    "Flux.2": (
        ("double_blocks", "transformer_blocks", _double("linear_in", "linear_out")),
        ("single_blocks", "single_transformer_blocks", _SINGLE_2),
    ),
    "SD3": (("joint_blocks", "transformer_blocks", _JOINT),),
    "Lumina2": tuple((stack, stack, _LUMINA) for stack in _STACKS),
    "Z-Image": tuple((stack, stack, _Z_IMAGE) for stack in _STACKS),
}
# Layers outside of blocks. Flux's and Stable Diffusion 3's have different names, so one table serves both.
_OUTSIDE = {
    "img_in": "x_embedder",
    "txt_in": "context_embedder",
    "context_embedder": "context_embedder",
    "time_in.in_layer": "time_text_embed.timestep_embedder.linear_1",
    "time_in.out_layer": "time_text_embed.timestep_embedder.linear_2",
    "vector_in.in_layer": "time_text_embed.text_embedder.linear_1",
    "vector_in.out_layer": "time_text_embed.text_embedder.linear_2",
    "guidance_in.in_layer": "time_text_embed.guidance_embedder.linear_1",
    "guidance_in.out_layer": "time_text_embed.guidance_embedder.linear_2",
    "t_embedder.mlp.0": "time_text_embed.timestep_embedder.linear_1",
    "t_embedder.mlp.2": "time_text_embed.timestep_embedder.linear_2",
    "y_embedder.mlp.0": "time_text_embed.text_embedder.linear_1",
    "y_embedder.mlp.2": "time_text_embed.text_embedder.linear_2",
    "x_embedder.proj": "pos_embed.proj",
    "final_layer.linear": "proj_out",
    "final_layer.adaLN_modulation.1": "norm_out.linear",
}
_OF_SD3 = ("t_embedder.", "y_embedder.", "x_embedder.", "context_embedder")


def makers_layers(names: Iterable[str], family: str | None) -> list[MakersLayer]:
    """The layers of a network of diffusers, which has modules of these `names`, as its makers name them; none for a
    family (`families.family_of_network`) that has one set of names."""
    known, found = set(names), []
    for makers_list, own_list, layers in _FAMILIES.get(family or "", ()):
        numbers = {int(m[1]) for name in known if (m := re.match(rf"{own_list}\.(\d+)\.", name))}
        for number in sorted(numbers):
            for name, parts in layers.items():
                own = tuple(f"{own_list}.{number}.{part}" for part in parts)
                if set(own) <= known:
                    # Stable Diffusion 3's last block norms its text by another class, with shift and scale exchanged.
                    last = family == "SD3" and number == max(numbers) and name == "context_block.adaLN_modulation.1"
                    found.append(MakersLayer(f"{makers_list}.{number}.{name}", own, last))
    if family in ("Flux", "SD3"):
        for name, own in _OUTSIDE.items():
            of_sd3 = name.startswith(_OF_SD3)
            if own in known and (name.startswith("final_layer.") or of_sd3 == (family == "SD3")):
                found.append(MakersLayer(name, (own,), own == "norm_out.linear"))
    return found
