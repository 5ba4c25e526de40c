"""What the keys of a LoRA file say: for each layer its tensors by role, whichever trainer wrote it.

Layouts (read in the code of the makers named):
* kohya's sd-scripts and LyCORIS: `lora_unet_NAME.lora_down.weight`, `.hada_w1_a`, `.lokr_w2`, `.diff`, `.alpha`, ...
* peft and today's diffusers: `base_model.model.NAME.lora_A.weight`, `unet.NAME.lora_A.weight`; alpha is no tensor, it
  stands in the file's header or in adapter_config.json (`peft_settings`).
* diffusers before peft: `unet.NAME.processor.to_q_lora.down.weight`, `NAME.lora_linear_layer.up.weight`,
  `NAME.lora.down.weight`.
* ComfyUI's own trainer: `diffusion_model.NAME.lora_up.weight`, `diffusion_model.NAME.diff_b`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from torch import Tensor

from ...errors import UserError

# Ending of a key -> role. The name of a peft adapter ("default") is dropped from the key before.
_LORA = {
    f".{front}{side}{back}": role
    for front, sides, back in (
        ("lora_", ("down", "up"), ".weight"),
        ("lora.", ("down", "up"), ".weight"),
        ("lora_linear_layer.", ("down", "up"), ".weight"),
        ("lora_", ("A", "B"), ".weight"),
        ("lora_", ("A", "B"), ""),
    )
    for side, role in zip(sides, ("down", "up"))
}
_LYCORIS = (
    "hada_w1_a hada_w1_b hada_w2_a hada_w2_b hada_t1 hada_t2 "
    "lokr_w1 lokr_w1_a lokr_w1_b lokr_w2 lokr_w2_a lokr_w2_b lokr_t2 "
    "alpha dora_scale on_input diff diff_b w_norm b_norm set_weight ia3_l"
).split()
ROLES: Mapping[str, str] = {
    **_LORA,
    "_lora.down.weight": "down",
    "_lora.up.weight": "up",
    ".lora_mid.weight": "mid",
    ".lora_B.bias": "up_bias",
    ".lora_magnitude_vector": "magnitude",
    ".lora_magnitude_vector.weight": "magnitude",
    **{f".{name}": name for name in _LYCORIS},
    **{f".{name}.weight": name for name in ("a1", "a2", "b1", "b2", "bm")},
    ".weight": "weight",
}
# Endings of kinds that are known and not applied, with their names.
REFUSED = {
    r"\.oft_\w+|\.rescale": "OFT (orthogonal fine-tuning)",
    r"\.boft_\w+": "BOFT (orthogonal fine-tuning)",
    r"\.(q_layer|p_layer)\.weight|\.lambda_layer": "T-LoRA",
    r"\.vera_\w+": "VeRA",
    r"\.lora_embedding_[AB]\w*": "a LoRA of a text model's vocabulary",
    r"\.(hra_|vblora_|randlora_|fourierft_|ln_tuning_|bone_|shira_|c3a_|road_)\w*": "an adapter of peft's",
    r"\.reshape_weight": "a LoRA that enlarges the model's layers",
    r"\.bias": "whole biases",
}
_SUPPORTED = "LoRA, LoCon, LoHa, LoKr, DoRA, IA3, GLoRA or full difference"
_PEFT_NAME = re.compile(r"(\.(?:lora_[AB]|lora_magnitude_vector))\.(?!weight$|bias$)[^.]+(?=\.weight$|\.bias$|$)")
_ENDINGS = sorted(ROLES, key=len, reverse=True)


@dataclass
class FileLayer:
    """One layer of a LoRA file: its `key` there, and its tensors by role ("down", "hada_w1_a", "dora_scale", ...).

    What is one number ("alpha", "on_input") is a field once the file was read by `reading`.
    """

    key: str
    tensors: dict[str, Tensor] = field(default_factory=dict)
    alpha: float | None = None  # None: not said; the scale is 1 then
    rank: int | None = None  # as the maker's settings say it, for what has no factor to read it from
    rank_stabilized: bool = False  # the scale is alpha / sqrt(rank) (rsLoRA, arXiv 2312.03732)
    on_input: bool | None = None  # of an IA3: whether it lies along the inputs; None: its shape must tell

    def converted(self, *to: Any) -> FileLayer:
        """The same with every tensor converted, as by `Tensor.to`."""
        return replace(self, tensors={role: tensor.to(*to) for role, tensor in self.tensors.items()})

    def __contains__(self, role: str) -> bool:
        return role in self.tensors

    def __getitem__(self, role: str) -> Tensor:
        return self.tensors[role]


def split_layers(tensors: Mapping[str, Tensor], file: str) -> list[FileLayer]:
    """The layers of a file, in its order. Raises UserError for a tensor of an unknown or refused kind, or no layers."""
    layers: dict[str, FileLayer] = {}
    for key, tensor in tensors.items():
        name, role = _split(key, file)
        if name.endswith(".bias") and role == "diff":  # as ComfyUI's own trainer names them
            name, role = name.removesuffix(".bias"), "diff_b"
        layers.setdefault(name, FileLayer(name)).tensors[role] = tensor
    if not layers:
        raise UserError(f"The LoRA '{file}' holds no layers; choose another file.")
    for layer in layers.values():
        if "weight" in layer and "on_input" not in layer:
            raise UserError(
                f"'{file}' holds whole weights ('{layer.key}.weight') and no LoRA; give a LoRA file, and a checkpoint "
                "as the model."
            )
    return list(layers.values())


def _split(key: str, file: str) -> tuple[str, str]:
    plain = _PEFT_NAME.sub(r"\1", key)
    ending = next((e for e in _ENDINGS if plain.endswith(e) and len(plain) > len(e)), None)
    if ending is not None and ending != ".weight":
        return plain.removesuffix(ending), ROLES[ending]
    for pattern, kind in REFUSED.items():
        if re.search(rf"(?:{pattern})$", plain):
            raise _refusal(file, key, kind)
    if ending is not None:
        return plain.removesuffix(ending), ROLES[ending]
    if key.startswith(("bundle_emb", "emb_params", "string_to_param")):
        raise _refusal(file, key, "a textual inversion embedding")
    raise UserError(
        f"The LoRA '{file}' cannot be applied: '{key}' is of no kind that is known here; use a {_SUPPORTED}."
    )


def _refusal(file: str, key: str, kind: str) -> UserError:
    return UserError(
        f"The LoRA '{file}' cannot be applied: its '{key}' is {kind}, which is not supported; use a {_SUPPORTED}."
    )
