"""Which layers of a network a LoRA is put on: a few choices, and the modules that each names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn

from ..errors import UserError

TARGETS = ("attention", "attention and feed-forward", "attention, feed-forward and convolution", "SDXL style block")
_ATTENTION = (".to_q", ".to_k", ".to_v", ".to_out.0")
_FEED_FORWARD = (".ff.net.0.proj", ".ff.net.2", ".proj_in", ".proj_out")
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
        if not weight.is_floating_point() or weight.element_size() < 2:
            raise UserError(
                f"The weights are quantized ({name} is {weight.dtype}): a LoRA is trained on the full weights; load "
                "the model in fp16, bf16 or fp32."
            )
    return chosen
