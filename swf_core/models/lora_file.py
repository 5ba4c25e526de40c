"""LoRA files: kohya's keys with diffusers module names and `.alpha`, the one layout that loads everywhere.

`lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q.{lora_down.weight, lora_up.weight, alpha}`:
diffusers, ComfyUI and A1111's descendants map these onto their own modules. (What `save_lora_weights` of diffusers
writes, ComfyUI does not find; diffusers' own converter to kohya's keys sets alpha to the rank.)
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..errors import UserError
from .lora import Adapter

# kohya's and modelspec's names for the families.
_BASES = {
    "SD1.x": ("sd_v1", "stable-diffusion-v1/lora"),
    "SD2.x": ("sd_v2", "stable-diffusion-v2-512/lora"),
    "SDXL": ("sdxl_base_v1-0", "stable-diffusion-xl-v1-base/lora"),
    "mini": ("swf_mini", "stylewallfacer-mini/lora"),
}


def to_kohya(parameters: Mapping[str, Tensor], alpha: float, dtype: torch.dtype = torch.float16) -> dict[str, Tensor]:
    """A file's tensors from `Adapter.parameters`."""
    tensors: dict[str, Tensor] = {}
    for name, value in parameters.items():
        module, part = name.rsplit(".", 1)
        key = "lora_unet_" + module.replace(".", "_")
        tensors[f"{key}.lora_{part}.weight"] = value.detach().to("cpu", dtype).contiguous()
        tensors[f"{key}.alpha"] = torch.tensor(float(alpha))
    return tensors


def to_bytes(
    adapter: Adapter,
    metadata: Mapping[str, str] | None = None,
    dtype: torch.dtype = torch.float16,
    strength: float = 1.0,
) -> bytes:
    """The bytes of a LoRA file; the same LoRA and metadata give the same bytes.

    `metadata`: see `describe`, None writes none. `strength`: what 1 will mean in the file, by way of its alpha.
    """
    from safetensors.torch import save

    return save(to_kohya(adapter.parameters(), adapter.alpha * strength, dtype), dict(metadata or {}) or None)


@dataclass(frozen=True)
class Provenance:
    """How a LoRA was made, for its file's metadata. `own`: further fields, written under "swf_"."""

    family: str
    prediction: str
    title: str
    size_px: int
    steps: int
    learning_rate: float
    seed: int
    pictures: int  # in the data set
    started: str = ""
    own: Mapping[str, Any] = field(default_factory=dict)


def describe(adapter: Adapter, provenance: Provenance, strength: float = 1.0) -> dict[str, str]:
    """kohya's and modelspec's metadata. `strength`: as for `encode`."""
    base, architecture = _BASES[provenance.family]
    digest = hashlib.sha256()
    for value in adapter.parameters().values():
        digest.update(value.detach().to("cpu", torch.float16).contiguous().numpy().tobytes())
    common = {
        "ss_base_model_version": base,
        "ss_v2": str(provenance.family == "SD2.x"),
        "ss_network_module": "networks.lora",
        "ss_network_dim": str(adapter.rank),
        "ss_network_alpha": f"{adapter.alpha * strength:g}",
        "ss_network_args": "{}",
        "ss_output_name": provenance.title,
        "ss_steps": str(provenance.steps),
        "ss_learning_rate": f"{provenance.learning_rate:g}",
        "ss_seed": str(provenance.seed),
        "ss_optimizer": "AdamW",
        "ss_resolution": f"({provenance.size_px}, {provenance.size_px})",
        "ss_num_train_images": str(provenance.pictures),
        "ss_training_started_at": provenance.started,
        "modelspec.sai_model_spec": "1.0.1",
        "modelspec.architecture": architecture,
        "modelspec.title": provenance.title,
        "modelspec.implementation": "diffusers",
        "modelspec.resolution": f"{provenance.size_px}x{provenance.size_px}",
        "modelspec.prediction_type": "v" if provenance.prediction == "v_prediction" else "epsilon",
        "modelspec.date": datetime.now(timezone.utc).strftime("%Y-%m-%d"),
        "modelspec.hash_sha256": "0x" + digest.hexdigest(),
    }
    for name, value in provenance.own.items():
        common[f"swf_{name}"] = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return common


def read(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors and metadata of a LoRA file. Raises UserError when it is missing or broken."""
    from safetensors import safe_open

    if not path.is_file():
        raise UserError(f"The LoRA '{path}' does not exist; give the path of a .safetensors file.")
    try:
        with safe_open(path, "pt") as file:
            return {key: file.get_tensor(key) for key in file.keys()}, file.metadata() or {}
    except Exception as error:  # safetensors raises its own type, OSError and others
        raise UserError(f"The LoRA '{path}' cannot be read as safetensors; copy it again.") from error
