"""A `Backend` from a folder in diffusers' layout that holds a diffusion transformer: Stable Diffusion 3, 3.5 or Flux.

diffusers and transformers are imported only inside `load_transformer_folder`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from ..errors import UserError
from .clip_text import wrap_tokenizer
from .contracts import Backend
from .transformer_denoiser import TransformerDenoiser
from .transformer_presets import transformer_presets
from .transformer_text import FLUX_T5_TOKENS, SD3_T5_TOKENS, FluxText, SD3Text
from .vae_codec import VaeCodec

# Family by the class that a transformer's config names.
FAMILIES = {"SD3Transformer2DModel": "SD3", "FluxTransformer2DModel": "Flux"}
# Sides of a picture in latent cells where the config does not say: both were trained up to 1024 px.
CELLS = 128


def load_transformer_folder(
    folder: Path, *, device: str | torch.device = "cpu", dtype: torch.dtype = torch.float32
) -> Backend:
    """A model saved by diffusers: transformer/, vae/, scheduler/, and its text encoders and tokenizers.

    SD3's third text encoder, T5, may be missing, as in diffusers. Raises ValueError (UserError), one sentence, for
    another family, or when a part is missing or broken. Never goes to the network.
    """
    from .diffusers_backend import read_json

    config = read_json(folder / "transformer" / "config.json")
    family = FAMILIES.get(str(config.get("_class_name")))
    if family is None:
        raise UserError(
            f"The transformer in '{folder}' is a {config.get('_class_name')}; {' and '.join(FAMILIES.values())} are "
            "supported, and UNets (SD1.x, SD2.x, SDXL)."
        )
    needed = ("text_encoder", "tokenizer", "text_encoder_2", "tokenizer_2", "vae", "scheduler")
    for part in needed:
        if not (folder / part).is_dir():
            raise UserError(
                f"The model folder '{folder}' has no '{part}' folder in it; point to a folder saved by diffusers "
                f"(transformer, {', '.join(needed)})."
            )
    scheduler = read_json(folder / "scheduler" / "scheduler_config.json")
    try:
        network, vae, text = _modules(folder, family, config, device, dtype)
    except UserError:
        raise
    except Exception as error:  # safetensors, OSError, KeyError, ...: all mean the same to the user
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise UserError(f"The model in '{folder}' could not be read; copy it again ({reason[0][:200]}).") from error
    codec, cells = VaeCodec(vae), int(config.get("sample_size") or CELLS)
    denoiser = TransformerDenoiser(network, shift_of(scheduler, cells))
    presets = transformer_presets(family, denoiser.self_attention_layers)
    return Backend(denoiser, text, codec, folder.name, cells * codec.downscale, family, presets)


def _modules(
    folder: Path, family: str, config: Mapping[str, Any], device: Any, dtype: torch.dtype
) -> tuple[Any, Any, Any]:
    """The network, the autoencoder and the text encoder, on their device."""
    from diffusers import AutoencoderKL, FluxTransformer2DModel, SD3Transformer2DModel
    from transformers import AutoTokenizer, CLIPTextModel, CLIPTextModelWithProjection, T5EncoderModel

    def model(kind: Any, part: str, **more: Any) -> Any:
        return kind.from_pretrained(folder / part, local_files_only=True, **more).eval().to(device)

    def tokenizer(part: str) -> Any:
        return AutoTokenizer.from_pretrained(folder / part, local_files_only=True)

    kind = SD3Transformer2DModel if family == "SD3" else FluxTransformer2DModel
    network = model(kind, "transformer", torch_dtype=dtype)
    vae = model(AutoencoderKL, "vae", torch_dtype=dtype)
    if vae.config.get("force_upcast"):
        vae = vae.float()
    first = wrap_tokenizer(tokenizer("tokenizer"))
    if family == "Flux":
        models = [
            model(CLIPTextModel, "text_encoder", dtype=dtype),
            model(T5EncoderModel, "text_encoder_2", dtype=dtype),
        ]
        return network, vae, FluxText(models, [first, wrap_tokenizer(tokenizer("tokenizer_2"), FLUX_T5_TOKENS)])
    models = [model(CLIPTextModelWithProjection, part, dtype=dtype) for part in ("text_encoder", "text_encoder_2")]
    tokenizers = [first, wrap_tokenizer(tokenizer("tokenizer_2"))]
    if (folder / "text_encoder_3").is_dir():
        models.append(model(T5EncoderModel, "text_encoder_3", dtype=dtype))
        tokenizers.append(wrap_tokenizer(tokenizer("tokenizer_3"), SD3_T5_TOKENS))
    return network, vae, SD3Text(models, tokenizers, int(config["joint_attention_dim"]))


def shift_of(scheduler: Mapping[str, Any], cells: int) -> float:
    """The shift of noise levels that a FlowMatchEulerDiscreteScheduler's config asks for, on pictures of `cells` latent
    cells a side.

    Departs from diffusers where the shift follows the size of each picture (`use_dynamic_shifting`): the table of noise
    levels is one for all, that of the size which the model was trained at.
    """
    if not scheduler.get("use_dynamic_shifting"):
        return float(scheduler.get("shift", 1.0))
    low, high = float(scheduler.get("base_shift", 0.5)), float(scheduler.get("max_shift", 1.15))
    shortest, longest = int(scheduler.get("base_image_seq_len", 256)), int(scheduler.get("max_image_seq_len", 4096))
    tokens = (cells // 2) ** 2
    return math.exp(low + (high - low) * (tokens - shortest) / (longest - shortest))
