"""Which layer of a model a LoRA file means: the names of kohya (diffusers' and Stability's), peft and diffusers.

A layer's own name here is `Layer`: the part of the model and the name of its module in diffusers or transformers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .families import UNET_FAMILIES, family_of_network

# The network itself, a UNet or a transformer, and the text models.
UNET, TEXT_1, TEXT_2 = "unet", "te1", "te2"

# Fronts of a file's names -> the part of the model, None where the name alone must tell. The first that fits is taken.
_FRONTS = (
    ("lora_unet_", UNET),
    ("lora_transformer_", UNET),
    ("lora_te1_", TEXT_1),
    ("lora_te2_", TEXT_2),
    ("lora_te_", TEXT_1),
    ("lycoris_", None),
    ("unet.base_model.model.", UNET),
    ("unet.", UNET),
    ("transformer.base_model.model.", UNET),
    ("transformer.", UNET),
    ("model.diffusion_model.", UNET),
    ("diffusion_model.", UNET),
    ("text_encoder_2.base_model.model.", TEXT_2),
    ("text_encoder_2.", TEXT_2),
    ("text_encoder.base_model.model.", TEXT_1),
    ("text_encoder.", TEXT_1),
    ("text_encoders.clip_g.transformer.", TEXT_2),
    ("text_encoders.clip_l.transformer.", TEXT_1),
    ("text_encoders.clip_h.transformer.", TEXT_1),
    ("base_model.model.", None),
    ("", None),
)
# What only models of another build than UNets have: transformers (Flux, SD3, Wan, ...), cascades, third text models.
_FOREIGN_FRONT = re.compile(r"lora_te3_|lora_transformer_|lora_prior_|transformer\.|text_encoder_3|text_encoders\.t5")
_FOREIGN_NAME = re.compile(r"_?(?:double_|single_|joint_|transformer_|single_transformer_)?(?:blocks|layers)[._]\d")
_RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
_ENDS = {
    "conv_in": "input_blocks.0.0",
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "add_embedding.linear_1": "label_emb.0.0",
    "add_embedding.linear_2": "label_emb.0.2",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
}


@dataclass(frozen=True)
class Layer:
    """A layer of a model: `part` is "unet", "te1" or "te2", `name` that of its module (without `text_model.`)."""

    part: str
    name: str


class LayerNames:
    """The layers of a model by every name that LoRA files give them.

    `unet`: diffusers names of the modules of the UNet, or of the transformer in its place. `text_models`: names of the
    modules of each text model, with or without transformers' wrapper `text_model.`
    """

    def __init__(self, unet: Iterable[str], text_models: Sequence[Iterable[str]] = ()):
        unet = list(unet)
        self._is_unet = family_of_network(unet) in (None, UNET_FAMILIES)
        self._known: dict[str, dict[str, Layer]] = {UNET: {}}
        for name in unet:
            self._add(Layer(UNET, name), name)
        for name, other in stability_names(unet).items():
            self._add(Layer(UNET, name), other)
        for part, names in zip((TEXT_1, TEXT_2), text_models):
            self._known[part] = {}
            for name in names:
                plain = name.removeprefix("text_model.")
                self._add(Layer(part, plain), plain)
                # diffusers' first layout of text models
                old = re.sub(r"self_attn\.(q|k|v|out)_proj$", r"self_attn.to_\1", plain)
                self._add(Layer(part, plain), old)

    def _add(self, layer: Layer, name: str) -> None:
        flat = name.replace(".", "_")
        self._known[layer.part].setdefault(flat, layer)
        if flat.endswith("_to_out_0"):  # diffusers' attention processors leave the index out
            self._known[layer.part].setdefault(flat.removesuffix("_0"), layer)

    def find(self, key: str) -> Layer | None:
        """The layer that a file's `key` (without the tensor's role) means; None when this model has none such."""
        part, rest = split_front(key)
        flat = rest.replace(".processor.", ".").replace(".", "_")
        if part != UNET:
            flat = flat.removeprefix("text_model_")
        for known in [part] if part else list(self._known):
            layer = self._known.get(known, {}).get(flat)
            if layer is not None:
                return layer
        return None

    def why_not(self, key: str) -> str:
        """Why `find` gave None, as the rest of a sentence that begins with "its layer '...'"."""
        part, rest = split_front(key)
        if self._is_unet and (_FOREIGN_FRONT.match(key) or (part in (UNET, None) and _FOREIGN_NAME.match(rest))):
            return "belongs to a model of another build (Flux, SD3, a cascade or the like)"
        if part in (TEXT_1, TEXT_2) and part not in self._known:
            count = sum(known != UNET for known in self._known)
            said = "no text model" if not count else "one text model"
            return f"belongs to text model {2 if part == TEXT_2 else 1}, and this model has {said}"
        return "is not in this model"


def split_front(key: str) -> tuple[str | None, str]:
    """The part of the model that a file's key names, None where the name alone must tell; and the rest of the key."""
    front, part = next((front, part) for front, part in _FRONTS if key.startswith(front))
    return part, key.removeprefix(front)


def stability_names(unet: Iterable[str]) -> dict[str, str]:
    """diffusers name -> Stability's name (`input_blocks.4.1.proj_in`), for the modules of one UNet that have one."""
    names = list(unet)
    numbers = [int(m[1]) for name in names if (m := re.match(r"down_blocks\.\d+\.resnets\.(\d+)", name))]
    per_block = 1 + max(numbers, default=0)
    with_attention = {n.split(".attentions.")[0] for n in names if ".attentions." in n}
    found = {}
    for name in names:
        other = _ENDS.get(name) or _inner(name, per_block, with_attention)
        if other is not None:
            found[name] = other
    return found


def _inner(name: str, per_block: int, with_attention: set[str]) -> str | None:
    match = re.fullmatch(r"(down|up)_blocks\.(\d+)\.(resnets|attentions)\.(\d+)(?:\.(.+))?", name)
    if match:
        side, block, kind, index, rest = match[1], int(match[2]), match[3], int(match[4]), match[5]
        if side == "down":
            front = f"input_blocks.{1 + block * (per_block + 1) + index}"
        else:
            front = f"output_blocks.{block * (per_block + 1) + index}"
        return _with_rest(f"{front}.{int(kind == 'attentions')}", kind, rest)
    match = re.fullmatch(r"mid_block\.(resnets|attentions)\.(\d+)(?:\.(.+))?", name)
    if match:
        place = 1 if match[1] == "attentions" else 2 * int(match[2])
        return _with_rest(f"middle_block.{place}", match[1], match[3])
    match = re.fullmatch(r"(down|up)_blocks\.(\d+)\.(down|up)samplers\.0\.conv", name)
    if match and match[1] == "down":
        return f"input_blocks.{(int(match[2]) + 1) * (per_block + 1)}.0.op"
    if match:
        place = 2 if f"up_blocks.{match[2]}" in with_attention else 1
        return f"output_blocks.{int(match[2]) * (per_block + 1) + per_block}.{place}.conv"
    return None


def _with_rest(front: str, kind: str, rest: str | None) -> str | None:
    if rest is None:
        return front
    if kind == "attentions":
        return f"{front}.{rest}"
    return f"{front}.{_RESNET[rest]}" if rest in _RESNET else None
