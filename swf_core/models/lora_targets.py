"""Which layers of a network a LoRA is put on: a few choices, and the modules that each names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn

from ..errors import UserError
from .base_weights import is_narrow

TARGETS = ("attention", "attention and feed-forward", "attention, feed-forward and convolution", "SDXL style block")
# UNets; then the streams of text and picture of transformers, with the names of each family in diffusers:
# Stable Diffusion 3, Flux and Qwen-Image have add_*_proj, HiDream to_*_t, Flux.2's single blocks one layer for all.
_ATTENTION = (
    *(".to_q", ".to_k", ".to_v", ".to_out.0"),
    *(".add_q_proj", ".add_k_proj", ".add_v_proj", ".to_add_out"),
    *(".to_q_t", ".to_k_t", ".to_v_t", ".to_out", ".to_out_t", ".to_qkv_mlp_proj"),
)
# Flux's single blocks: proj_mlp and proj_out; Lumina 2: linear_1 to linear_3, Z-Image: w1 to w3.
_FEED_FORWARD = (
    *(".ff.net.0.proj", ".ff.net.2", ".proj_in", ".proj_out", ".proj_mlp"),
    *(".ff_context.net.0.proj", ".ff_context.net.2", "_mlp.net.0.proj", "_mlp.net.2"),
    *(".linear_in", ".linear_out"),
    *(f".feed_forward.{layer}" for layer in ("linear_1", "linear_2", "linear_3", "w1", "w2", "w3")),
)
_CONVOLUTION = (".conv1", ".conv2", ".conv_shortcut", ".conv", ".time_emb_proj")
# B-LoRA (arXiv 2403.14572): the block of SDXL that is answerable for style.
_STYLE_BLOCK = "up_blocks.0.attentions.1."


def choose_modules(names: Mapping[nn.Module, str], targets: str) -> dict[nn.Module, str]:
    """The linear and convolution layers that a choice of `TARGETS` names, with their diffusers names, in order.

    Raises UserError for an unknown choice, one that names nothing in this network, or weights that cannot be trained
    beside (quantized ones).
    """
    if targets not in TARGETS:
        raise UserError(f"The targets {targets!r} are unknown; choose one of {', '.join(TARGETS)}.")
    endings = _ATTENTION
    if "feed-forward" in targets:
        endings += _FEED_FORWARD
    if "convolution" in targets:
        endings += _CONVOLUTION
        if all(len(name.split(".")) < 3 or not isinstance(m, nn.Conv2d) for m, name in names.items()):
            raise UserError(f"This network's blocks have no convolutions; choose {TARGETS[1]!r}.")
    front = _STYLE_BLOCK if targets == "SDXL style block" else ""
    chosen: dict[nn.Module, str] = {
        module: name
        for module, name in names.items()
        if isinstance(module, nn.Linear | nn.Conv2d) and name.startswith(front) and name.endswith(endings)
    }
    if not chosen:
        raise UserError(f"This network has no layers for the targets {targets!r}; choose {TARGETS[0]!r}.")
    for module, name in chosen.items():
        weight: Any = module.weight
        if not is_narrow(module) and (not weight.is_floating_point() or weight.element_size() < 2):
            raise UserError(
                f"The weights are quantized ({name} is {weight.dtype}): a LoRA is trained on the full weights; load "
                "the model in fp16, bf16 or fp32."
            )
    return chosen
