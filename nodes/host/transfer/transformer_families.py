"""The diffusion transformers of the host that style transfer reaches: by class, their blocks and positions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import log2
from typing import Any

from torch import nn

from ....swf_core.models.contracts import AttentionLayer
from ....swf_core.models.rope import RopeView
from ....swf_core.models.transformer_presets import transformer_presets
from .network import Network
from .transformer_layout import AFTER_TEXT, BEFORE_REFERENCES, FIRST, LAST, TransformerLayout

# To multiples of it newer hosts fill up the text of Lumina 2's class, and then read what fills it.
PADDING = "pad_tokens_multiple"
# The long side that all of them were trained at.
NATIVE_PX = 1024


@dataclass(frozen=True)
class Stack:
    """A row of blocks: the network's attribute, our name of a block, and the host's name in its block replacements;
    "" where it replaces none, and calls of attention are counted."""

    attribute: str
    name: str
    host: str = ""


@dataclass(frozen=True)
class Family:
    """A family of transformers.

    `text`: the module that reads the text's tokens; `embedder`: where its rotary positions are made, "" for none;
    `refiners`: blocks that call attention before the stacks do, `reference_refiners` where pictures are referred to.
    """

    name: str
    stacks: tuple[Stack, ...]
    order: str
    text: str
    embedder: str = ""
    centered: bool = False
    behind: int = 0
    text_first: bool = False
    refiners: tuple[str, ...] = ()
    reference_refiners: tuple[str, ...] = ()


_FLUX = (Stack("double_blocks", "double", "double_block"), Stack("single_blocks", "single", "single_block"))
_REFINED = (Stack("layers", "block"),)
# By module and name of the class, for older hosts lack some of them.
FAMILIES = {
    "flux.model.Flux": Family("Flux", _FLUX, BEFORE_REFERENCES, "txt_in", "pe_embedder"),
    "chroma.model.Chroma": Family("Chroma", _FLUX, BEFORE_REFERENCES, "txt_in", "pe_embedder"),
    "modules.diffusionmodules.mmdit.OpenAISignatureMMDITWrapper": Family(
        "SD3", (Stack("joint_blocks", "double", "double_block"),), LAST, "context_embedder"
    ),
    "qwen_image.model.QwenImageTransformer2DModel": Family(
        "Qwen-Image",
        (Stack("transformer_blocks", "double", "double_block"),),
        BEFORE_REFERENCES,
        "txt_in",
        "pe_embedder",
        centered=True,
    ),
    "lumina.model.NextDiT": Family(
        "Lumina2",
        _REFINED,
        AFTER_TEXT,
        "cap_embedder",
        "rope_embedder",
        text_first=True,
        refiners=("context_refiner", "noise_refiner"),
    ),
    "hidream.model.HiDreamImageTransformer2DModel": Family(
        "HiDream",
        (Stack("double_stream_blocks", "double"), Stack("single_stream_blocks", "single")),
        FIRST,
        "caption_projection",
        "pe_embedder",
    ),
    "aura.mmdit.MMDiT": Family(
        "AuraFlow",
        (Stack("double_layers", "double", "double_block"), Stack("single_layers", "single", "single_block")),
        LAST,
        "cond_seq_linear",
    ),
    "omnigen.omnigen2.OmniGen2Transformer2DModel": Family(
        "OmniGen2",
        _REFINED,
        LAST,
        "time_caption_embed.caption_embedder",
        "rope_embedder",
        text_first=True,
        refiners=("context_refiner", "noise_refiner"),
        reference_refiners=("ref_image_refiner",),
    ),
    "wan.model.WanModel": Family(
        "Wan", (Stack("blocks", "block", "double_block"),), LAST, "text_embedding", "rope_embedder"
    ),
}


def inspect_transformer(network: Any) -> Network | None:
    """What is known of a transformer of the host; None for a class that is none of `FAMILIES`."""
    kind = type(network)
    family = FAMILIES.get(f"{kind.__module__.removeprefix('comfy.ldm.')}.{kind.__name__}")
    if family is None:
        return None
    family = _newer(network, family)
    layers, blocks = _layers(network, family)
    rope = _rope(network, family)
    leading, more = (
        sum(len(getattr(network, name)) for name in names) for names in (family.refiners, family.reference_refiners)
    )
    layout = TransformerLayout(
        layers,
        blocks,
        (leading, more),
        family.order,
        _patch(network),
        rope,
        _text_width(network, family),
        family.text_first,
        int(getattr(network, PADDING, None) or 1),
        hasattr(network, PADDING),
    )
    named = {layer.name: layer for layer in layers}
    return Network(named, {}, family.name, transformer_presets(family.name, layers), NATIVE_PX, layout)


def _newer(network: Any, family: Family) -> Family:
    """The family of a network that newer hosts make by an older one's class. Not run: 0.3.64 has neither."""
    if family.name == "Flux" and len(network.pe_embedder.axes_dim) == 4:
        return replace(family, name="Flux.2", behind=1)
    if family.name == "Lumina2" and getattr(network, PADDING, None):
        return replace(family, name="Z-Image")
    return family


def _layers(network: Any, family: Family) -> tuple[tuple[AttentionLayer, ...], dict[tuple[str, int], tuple[str, ...]]]:
    """All layers, and those of each block that the host can replace."""
    level, width = int(log2(_patch(network))), _width(network)
    layers: list[AttentionLayer] = []
    blocks = {}
    for stack in family.stacks:
        for index, block in enumerate(getattr(network, stack.attribute)):
            names = [f"{stack.name}.{index}"]
            if getattr(getattr(block, "x_block", None), "x_block_self_attn", False):  # SD3.5: the picture's own
                names.append(f"{names[0]}.second")
            layers += [AttentionLayer(name, level, f"{stack.attribute}.{index}", width) for name in names]
            if stack.host:
                blocks[stack.host, index] = tuple(names)
    return tuple(layers), blocks


def _patch(network: Any) -> int:
    size = network.patch_size
    return int(size[-1] if isinstance(size, Sequence) else size)


def _width(network: Any) -> int:
    """Channels of a token's key, all heads together."""
    for name in ("hidden_size", "inner_dim", "dim"):
        if isinstance(width := getattr(network, name, None), int):
            return width
    return int(network.init_x_linear.out_features)  # AuraFlow


def _text_width(network: Any, family: Family) -> int:
    """Numbers of a text's token that it reads."""
    module = network.get_submodule(family.text)
    if isinstance(module, nn.ModuleList):  # HiDream's last is for the tokens of its conditioning, T5's
        module = module[-1]
    return next(part.in_features for part in module.modules() if hasattr(part, "in_features"))


def _rope(network: Any, family: Family) -> RopeView | None:
    if not family.embedder:
        return None
    embedder = getattr(network, family.embedder)
    axes = tuple(int(size) for size in embedder.axes_dim)
    turned = sum(axes)
    rest = int(getattr(network, "attention_head_dim", turned)) - turned  # HiDream turns half a head
    return RopeView(axes, float(embedder.theta), rest, family.centered, family.behind)
