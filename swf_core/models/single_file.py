"""A `Backend` from one .safetensors file in Stability's layout (SD1.x, SD2.x, SDXL), with no network.

diffusers converts the weights, but would fetch the configs from the net: they are written from the templates here. The
one thing such a file lacks and no template can hold is CLIP's vocabulary; it is looked for beside the file and in the
local Hugging Face cache.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from ..errors import UserError
from .clip_text import wrap_tokenizer
from .contracts import Backend
from .diffusers_backend import backend_from_modules
from .vae_codec import VaeCodec

_CROSS_DOWN = ["CrossAttnDownBlock2D"] * 3 + ["DownBlock2D"]
_CROSS_UP = ["UpBlock2D"] + ["CrossAttnUpBlock2D"] * 3
_UNET_1 = {
    "sample_size": 64,
    "cross_attention_dim": 768,
    "attention_head_dim": 8,
    "block_out_channels": [320, 640, 1280, 1280],
    "down_block_types": _CROSS_DOWN,
    "up_block_types": _CROSS_UP,
}
_UNET_2 = {
    **_UNET_1,
    "cross_attention_dim": 1024,
    "attention_head_dim": [5, 10, 20, 20],
    "use_linear_projection": True,
}
_UNET_XL = {
    "sample_size": 128,
    "cross_attention_dim": 2048,
    "attention_head_dim": [5, 10, 20],
    "block_out_channels": [320, 640, 1280],
    "transformer_layers_per_block": [1, 2, 10],
    "use_linear_projection": True,
    "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
    "up_block_types": ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 256,
    "projection_class_embeddings_input_dim": 2816,
}
_VAE = {
    "block_out_channels": [128, 256, 512, 512],
    "layers_per_block": 2,
    "latent_channels": 4,
    "scaling_factor": 0.18215,
    "down_block_types": ["DownEncoderBlock2D"] * 4,
    "up_block_types": ["UpDecoderBlock2D"] * 4,
    "sample_size": 512,
}
_CLIP_L = {
    "hidden_size": 768,
    "intermediate_size": 3072,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "projection_dim": 768,
    "hidden_act": "quick_gelu",
    "vocab_size": 49408,
    "max_position_embeddings": 77,
    "bos_token_id": 0,
    "eos_token_id": 2,
    "pad_token_id": 1,
}
_CLIP_H = {
    **_CLIP_L,
    "hidden_size": 1024,
    "intermediate_size": 4096,
    "num_hidden_layers": 23,
    "num_attention_heads": 16,
    "projection_dim": 512,
    "hidden_act": "gelu",
}
_CLIP_G = {
    **_CLIP_L,
    "hidden_size": 1280,
    "intermediate_size": 5120,
    "num_hidden_layers": 32,
    "num_attention_heads": 20,
    "projection_dim": 1280,
    "hidden_act": "gelu",
}

# family -> config of every part
TEMPLATES: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "SD1.x": {"unet": _UNET_1, "vae": _VAE, "text_encoder": _CLIP_L},
    "SD2.x": {"unet": _UNET_2, "vae": _VAE, "text_encoder": _CLIP_H},
    "SDXL": {
        "unet": _UNET_XL,
        "vae": {**_VAE, "scaling_factor": 0.13025, "force_upcast": True, "sample_size": 1024},
        "text_encoder": _CLIP_L,
        "text_encoder_2": _CLIP_G,
    },
}

_UNET = "model.diffusion_model."
_TEXT_KEYS = {
    "SD1.x": "cond_stage_model.transformer.text_model.",
    "SD2.x": "cond_stage_model.model.",
    "SDXL": "conditioner.embedders.1.model.",
}


def checkpoint_family(shapes: Mapping[str, tuple[int, ...]]) -> str:
    """The family of a checkpoint by its keys. Raises ValueError for what is none of the three."""
    for family, prefix in _TEXT_KEYS.items():
        if any(key.startswith(prefix) for key in shapes) and any(key.startswith(_UNET) for key in shapes):
            return family
    raise UserError(
        "The model file holds no checkpoint of Stable Diffusion 1.x, 2.x or SDXL (UNet, text and VAE in one file); "
        "use such a file, or a diffusers folder."
    )


def predicts_v(family: str, weights: Mapping[str, torch.Tensor], metadata: Mapping[str, str]) -> bool:
    """Whether the network predicts v: by its metadata or the key "v_pred", else, for SD2.x, by the spread of one bias,
    which is large in the released 768-v models and small in the 512-base ones (the test ComfyUI makes)."""
    prediction_type = metadata.get("modelspec.prediction_type", "")
    if prediction_type:
        return prediction_type.startswith("v")
    if "v_pred" in weights:
        return True
    bias = weights.get(_UNET + "output_blocks.11.1.transformer_blocks.0.norm1.bias")
    return family == "SD2.x" and bias is not None and float(bias.float().std(unbiased=False)) > 0.09


def find_tokenizer(file: Path) -> Any:
    """CLIP's tokenizer from "tokenizer/" beside the model file or the local Hugging Face cache.

    Raises ValueError when it is in neither.
    """
    from huggingface_hub import try_to_load_from_cache
    from transformers import CLIPTokenizer

    # Asked for a model it has not cached, transformers may hand out a tokenizer with an empty vocabulary: so the files
    # are looked for here, and only a folder that holds them is opened.
    cached = try_to_load_from_cache("openai/clip-vit-large-patch14", "vocab.json")
    places = [file.parent / "tokenizer", *([Path(cached).parent] if isinstance(cached, str) else [])]
    for place in places:
        if (place / "vocab.json").is_file() and (place / "merges.txt").is_file():
            return CLIPTokenizer.from_pretrained(place, local_files_only=True)
    raise UserError(
        f"The model file '{file.name}' needs CLIP's vocabulary, which no checkpoint holds and this machine has not "
        f"cached: put vocab.json and merges.txt of openai/clip-vit-large-patch14 into '{file.parent / 'tokenizer'}'."
    )


def load_single_file(
    file: Path,
    *,
    device: str | torch.device = "cpu",
    dtype: torch.dtype = torch.float32,
    templates: Mapping[str, Mapping[str, Mapping[str, Any]]] = TEMPLATES,
) -> Backend:
    """The model in `file`. Never goes to the network.

    Raises ValueError (UserError), one sentence, when it cannot be read, is of another kind, or CLIP's vocabulary is
    nowhere on this machine.
    """
    from safetensors import safe_open

    try:
        with safe_open(str(file), "pt") as opened:
            metadata = opened.metadata() or {}
            shapes = {key: tuple(opened.get_slice(key).get_shape()) for key in opened.keys()}
            v_weights = {
                key: opened.get_tensor(key)
                for key in ("v_pred", _UNET + "output_blocks.11.1.transformer_blocks.0.norm1.bias")
                if key in shapes
            }
    except Exception as error:  # safetensors raises its own type, OSError and others
        raise UserError(f"The model file '{file}' cannot be read as safetensors; download it again.") from error
    family = checkpoint_family(shapes)
    tokenizer = find_tokenizer(file)
    try:
        parts = _convert(file, templates[family], dtype)
    except Exception as error:  # diffusers raises whatever a missing or misshapen tensor leads to
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        raise UserError(f"The model file '{file}' looks like {family} but does not convert ({reason}).") from error
    encoders = [parts[name] for name in ("text_encoder", "text_encoder_2") if name in parts]
    tokenizers = [wrap_tokenizer(tokenizer)]
    if len(encoders) == 2:
        second = find_tokenizer(file)
        second.pad_token = "!"  # OpenCLIP pads with id 0
        tokenizers.append(wrap_tokenizer(second))
    for module in parts.values():
        module.to(device)
    v = predicts_v(family, v_weights, metadata)
    size = int(parts["unet"].config["sample_size"]) * VaeCodec(parts["vae"]).downscale
    return backend_from_modules(
        parts["unet"],
        encoders,
        tokenizers,
        parts["vae"],
        {"prediction_type": "v_prediction" if v else "epsilon"},
        name=file.stem,
        native_size_px=768 if v and family == "SD2.x" else size,
        family=family,
    )


def _convert(file: Path, template: Mapping[str, Mapping[str, Any]], dtype: torch.dtype) -> dict[str, Any]:
    """Each part of the template as a diffusers or transformers module with the file's weights."""
    from diffusers import AutoencoderKL, UNet2DConditionModel
    from diffusers.loaders.single_file_utils import create_diffusers_clip_model_from_ldm, load_single_file_checkpoint
    from transformers import CLIPTextModel, CLIPTextModelWithProjection

    classes = {"unet": UNet2DConditionModel, "vae": AutoencoderKL}
    checkpoint: Any = load_single_file_checkpoint(str(file), local_files_only=True)
    parts: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, config in template.items():
            (Path(folder) / name).mkdir()
            named = {**config, "_class_name": classes[name].__name__} if name in classes else dict(config)
            (Path(folder) / name / "config.json").write_text(json.dumps(named), encoding="utf-8")
        for name in template:
            if name in classes:
                part = classes[name].from_single_file(
                    dict(checkpoint), config=folder, subfolder=name, torch_dtype=dtype, local_files_only=True
                )
            else:
                kind = CLIPTextModelWithProjection if name == "text_encoder_2" else CLIPTextModel
                part = create_diffusers_clip_model_from_ldm(
                    kind,
                    dict(checkpoint),
                    subfolder=name,
                    config=folder,
                    torch_dtype=dtype,
                    local_files_only=True,
                )
            parts[name] = part.float() if template[name].get("force_upcast") else part
    return parts
