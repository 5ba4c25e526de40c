"""A `Backend` from diffusers modules: in memory, or from a folder in diffusers' layout.

diffusers and transformers are imported only inside `load_folder`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..errors import UserError
from .clip_text import ClipText, Tokenizer, wrap_tokenizer
from .contracts import AttentionLayer, Backend
from .unet_denoiser import UNetDenoiser
from .vae_codec import VaeCodec

_SMALLEST_ABAR = 4.8973451890853435e-08  # zero terminal SNR would be an infinite sigma


def sigmas_from_config(config: Mapping[str, Any]) -> Tensor:
    """sigma(t) [T], float64, from a diffusers scheduler config (SD's values where a key is missing)."""
    length = int(config.get("num_train_timesteps", 1000))
    start, end = float(config.get("beta_start", 0.00085)), float(config.get("beta_end", 0.012))
    kind = config.get("beta_schedule", "scaled_linear")
    if config.get("trained_betas") is not None:
        betas = torch.tensor(config["trained_betas"], dtype=torch.float64)
    elif kind == "scaled_linear":
        betas = torch.linspace(start**0.5, end**0.5, length, dtype=torch.float64) ** 2
    elif kind == "linear":
        betas = torch.linspace(start, end, length, dtype=torch.float64)
    else:
        raise UserError(f"Beta schedule {kind!r} is not supported; use a model with scaled_linear or linear betas.")
    abar = torch.cumprod(1.0 - betas, 0)
    if config.get("rescale_betas_zero_snr"):
        # arXiv 2305.08891, algorithm 1
        root = abar.sqrt()
        abar = ((root - root[-1]) * root[0] / (root[0] - root[-1])) ** 2
    abar = abar.clamp_min(_SMALLEST_ABAR)
    return ((1.0 - abar) / abar).sqrt()


def backend_from_modules(
    unet: Any,
    text_encoders: Sequence[Any],
    tokenizers: Sequence[Tokenizer],
    vae: Any,
    scheduler_config: Mapping[str, Any],
    *,
    name: str,
    native_size_px: int,
    family: str | None = None,
) -> Backend:
    """Bundle in-memory modules, already on their device and in their dtype, into a `Backend`.

    * `unet`: a UNet2DConditionModel. Its attn1 modules become the self-attention layers.
    * `text_encoders`: [CLIPTextModel], or for SDXL [CLIPTextModel, CLIPTextModelWithProjection].
    * `tokenizers`: as many callables, list of prompts -> LongTensor [B, L] (`clip_text.wrap_tokenizer` makes one from a
      transformers tokenizer). L and the text model's hidden size must fit the UNet's cross-attention.
    * `vae`: an AutoencoderKL or AutoencoderTiny; its config's scaling_factor is applied.
    * `scheduler_config`: a dict with any of num_train_timesteps, beta_start, beta_end, beta_schedule, trained_betas,
      rescale_betas_zero_snr, prediction_type ("epsilon" where missing). `{}` is Stable Diffusion's.
    * `family`: "mini", "SD1.x", "SD2.x" or "SDXL"; None tells them apart by the UNet's config.

    The modules are put in eval mode and their gradients are switched off by the calls, not in the parameters.
    Raises ValueError for an unknown beta schedule or prediction type, or a wrong number of text models.
    """
    sdxl = unet.config.get("addition_embed_type") == "text_time"
    if family is None:
        family = "SDXL" if sdxl else "SD2.x" if unet.config.get("use_linear_projection") else "SD1.x"
    for module in (unet, vae, *text_encoders):
        module.eval()
    denoiser = UNetDenoiser(unet, sigmas_from_config(scheduler_config), _prediction_type(scheduler_config))
    presets = {"all": "all", **family_presets(family, denoiser.self_attention_layers)}
    text = ClipText(text_encoders, tokenizers, sdxl)
    return Backend(denoiser, text, VaeCodec(vae), name, native_size_px, family, presets)


def _prediction_type(config: Mapping[str, Any]) -> str:
    return str(config.get("prediction_type") or "epsilon")


def family_presets(family: str, layers: Sequence[AttentionLayer]) -> dict[str, str]:
    """Names for layer selectors.

    Late layers: SD1.x and SD2.x output blocks 6-11 (StyleID); SDXL the six of up block 1 (VSP); else the decoder.
    """

    def has(front: str) -> bool:
        return any(layer.name.startswith(front + ".") for layer in layers)

    if family == "SDXL" and has("up.1"):
        return {"late": "up.1", "SDXL late": "up.1"}
    if family in ("SD1.x", "SD2.x") and has("up.2") and has("up.3"):
        return {"late": "up.2,up.3", "SD1.5 late": "up.2,up.3"}
    return {"late": "up"} if has("up") else {}


def load_folder(folder: Path, *, device: str | torch.device = "cpu", dtype: torch.dtype = torch.float32) -> Backend:
    """A model saved by diffusers: unet/, vae/, scheduler/, text_encoder/, tokenizer/ (and the _2 of SDXL).

    Raises ValueError, one sentence, when a part is missing or broken. Never goes to the network.
    """
    from diffusers import AutoencoderKL, AutoencoderTiny, UNet2DConditionModel  # heavy: only here
    from transformers import AutoTokenizer, CLIPTextModel, CLIPTextModelWithProjection

    for part in ("unet", "vae", "scheduler", "text_encoder", "tokenizer"):
        if not (folder / part).is_dir():
            raise UserError(
                f"The model folder '{folder}' has no '{part}' folder in it; "
                "point to a folder saved by diffusers (unet, vae, scheduler, text_encoder, tokenizer)."
            )
    scheduler = read_json(folder / "scheduler" / "scheduler_config.json")
    vae_kind = read_json(folder / "vae" / "config.json").get("_class_name")
    vae_class = AutoencoderTiny if vae_kind == "AutoencoderTiny" else AutoencoderKL
    try:
        unet = UNet2DConditionModel.from_pretrained(folder / "unet", torch_dtype=dtype, local_files_only=True)
        vae = vae_class.from_pretrained(folder / "vae", torch_dtype=dtype, local_files_only=True)
        if vae.config.get("force_upcast"):  # SDXL's VAE overflows in fp16
            vae = vae.float()
        encoders: list[Any] = [_text_model(CLIPTextModel, folder / "text_encoder", dtype)]
        tokenizers = [wrap_tokenizer(AutoTokenizer.from_pretrained(folder / "tokenizer", local_files_only=True))]
        if (folder / "text_encoder_2").is_dir():
            encoders.append(_text_model(CLIPTextModelWithProjection, folder / "text_encoder_2", dtype))
            second = AutoTokenizer.from_pretrained(folder / "tokenizer_2", local_files_only=True)
            tokenizers.append(wrap_tokenizer(second))
    except UserError:
        raise
    except Exception as error:  # safetensors, OSError, KeyError, ...: all mean the same to the user
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise UserError(f"The model in '{folder}' could not be read; copy it again ({reason[0][:200]}).") from error
    modules: list[Any] = [unet, vae, *encoders]
    for module in modules:
        module.to(device)
    size = int(unet.config.get("sample_size") or 64) * VaeCodec(vae).downscale
    return backend_from_modules(
        modules[0], modules[2:], tokenizers, modules[1], scheduler, name=folder.name, native_size_px=size
    )


def _text_model(kind: Any, folder: Path, dtype: torch.dtype) -> Any:
    return kind.from_pretrained(folder, dtype=dtype, local_files_only=True)


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a file. Raises ValueError when missing or broken."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"The model file '{path}' is missing; copy the model again.") from None
    except (OSError, json.JSONDecodeError) as error:
        raise UserError(f"The model file '{path}' cannot be read as JSON; copy the model again.") from error
