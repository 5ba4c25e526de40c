"""LoRA files: kohya's keys with diffusers module names and `.alpha`, the one layout that loads everywhere on UNets.

`lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q.{lora_down.weight, lora_up.weight, alpha}`:
diffusers, ComfyUI and A1111's descendants map these onto their own modules. (What `save_lora_weights` of diffusers
writes, ComfyUI does not find; diffusers' own converter to kohya's keys sets alpha to the rank.) For transformers no
layout loads everywhere, and there are two (`lora_formats.written`).
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
from torch import Tensor, nn

from ..errors import UserError
from .flow_training import FLOW
from .lora import Adapter
from .lora_formats.families import UNET_FAMILIES, family_of_network
from .lora_formats.written import to_diffusers, to_makers

# kohya's and modelspec's names for the families.
_BASES = {
    "SD1.x": ("sd_v1", "stable-diffusion-v1/lora"),
    "SD2.x": ("sd_v2", "stable-diffusion-v2-512/lora"),
    "SDXL": ("sdxl_base_v1-0", "stable-diffusion-xl-v1-base/lora"),
    "mini": ("swf_mini", "stylewallfacer-mini/lora"),
    "SD3": ("sd3", "stable-diffusion-3/lora"),
    "Flux": ("flux1", "flux-1-dev/lora"),
    "Lumina2": ("lumina2", "lumina-2/lora"),
}
# sd-scripts' modules for files in its own layout.
_MODULES = {"SD3": "networks.lora_sd3", "Flux": "networks.lora_flux", "Lumina2": "networks.lora_lumina"}


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
    layout: str = "native",
) -> bytes:
    """The bytes of a LoRA file; the same LoRA and metadata give the same bytes.

    `metadata`: see `describe`, None writes none. `strength`: what 1 will mean in the file, by way of its alpha, or of
    its weights where the layout has none. `layout`: see `TrainOptions.lora_layout`.
    """
    from safetensors.torch import save

    parameters, alpha = adapter.parameters(), adapter.alpha * strength
    if family_of_network(adapter.layers) == UNET_FAMILIES:
        tensors = to_kohya(parameters, alpha, dtype)
    elif layout == "kohya":
        tensors = to_makers(parameters, alpha / adapter.rank, rows_of(adapter.network), dtype)
    else:
        tensors = to_diffusers(parameters, alpha / adapter.rank, dtype)
    return save(tensors, dict(metadata or {}) or None)


def rows_of(network: nn.Module) -> dict[str, int]:
    """The outputs of each layer with a weight, by its name without a LoRA."""
    found: dict[str, int] = {}
    for name, module in network.named_modules():
        weight = getattr(module, "weight", None)
        if isinstance(weight, Tensor) and ".lora_" not in name:
            found[name.removesuffix(".base_layer")] = weight.shape[0]
    return found


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
    own_name = provenance.family.lower()
    base, architecture = _BASES.get(provenance.family, (own_name, f"{own_name}/lora"))
    digest = hashlib.sha256()
    for value in adapter.parameters().values():
        digest.update(value.detach().to("cpu", torch.float16).contiguous().numpy().tobytes())
    common = {
        "ss_base_model_version": base,
        "ss_v2": str(provenance.family == "SD2.x"),
        "ss_network_module": _MODULES.get(provenance.family, "networks.lora"),
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
        "modelspec.date": datetime.now(timezone.utc).strftime("%Y-%m-%d"),
        "modelspec.hash_sha256": "0x" + digest.hexdigest(),
    }
    if provenance.prediction != FLOW:  # modelspec has no word for it
        common["modelspec.prediction_type"] = "v" if provenance.prediction == "v_prediction" else "epsilon"
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
