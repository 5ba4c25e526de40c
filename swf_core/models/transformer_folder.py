"""A `Backend` from a folder in diffusers' layout that holds a diffusion transformer of a family that is known.

diffusers and transformers are imported only where a folder is loaded (`transformer_parts`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from ..errors import UserError
from .contracts import Backend
from .families import NAMES, supported
from .transformer_denoiser import TransformerDenoiser
from .transformer_parts import Parts, needed_parts
from .transformer_presets import transformer_presets

# Sides of a picture where the config does not say: all were trained at 1024 px.
SIZE_PX = 1024
# Strengths of guidance that networks distilled from it are told: what the pipelines take unless told otherwise.
GUIDANCE = {"Flux": 3.5, "Flux.2": 4.0}


def load_transformer_folder(
    folder: Path, *, device: str | torch.device = "cpu", dtype: torch.dtype = torch.float32
) -> Backend:
    """A model saved by diffusers: transformer/, vae/, scheduler/, and its text encoders and tokenizers.

    SD3's third text encoder, T5, may be missing, as in diffusers. Raises ValueError (UserError), one sentence, for
    another family, or when a part is missing or broken. Never goes to the network.
    """
    from .diffusers_backend import read_json

    config = read_json(folder / "transformer" / "config.json")
    family = NAMES.get(str(config.get("_class_name")))
    if family is None:
        raise UserError(
            f"The transformer in '{folder}' is a {config.get('_class_name')}; {supported()} are supported, and UNets "
            "(SD1.x, SD2.x, SDXL)."
        )
    needed = needed_parts(family)
    for part in needed:
        if not (folder / part).is_dir():
            raise UserError(
                f"The model folder '{folder}' has no '{part}' folder in it; point to a folder saved by diffusers "
                f"(transformer, {', '.join(needed)})."
            )
    scheduler = read_json(folder / "scheduler" / "scheduler_config.json")
    parts = Parts(folder, family, config, device, dtype)
    try:
        network, codec, text = parts.network(), parts.codec(), parts.text()
    except UserError:
        raise
    except Exception as error:  # safetensors, OSError, KeyError, ...: all mean the same to the user
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise UserError(f"The model in '{folder}' could not be read; copy it again ({reason[0][:200]}).") from error
    cells = int(config.get("sample_size") or SIZE_PX // codec.downscale)
    shift = flux2_shift(cells) if family == "Flux.2" else shift_of(scheduler, cells)
    denoiser = TransformerDenoiser(network, shift, GUIDANCE.get(family, 1.0))
    presets = transformer_presets(family, denoiser.self_attention_layers)
    return Backend(denoiser, text, codec, folder.name, cells * codec.downscale, family, presets)


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


def flux2_shift(cells: int, steps: int = 50) -> float:
    """Flux.2's shift on pictures of `cells` tokens a side in so many steps: its exponent is a line in steps, through
    one line in tokens at 10 steps and another at 200 (as its authors measured; diffusers' Flux2Pipeline).

    Departs from diffusers as `shift_of` does: one table for all sizes and numbers of steps.
    """
    tokens = cells**2
    few, many = 8.73809524e-05 * tokens + 1.89833333, 0.00016927 * tokens + 0.45666666
    exponent = many if tokens > 4300 else few + (many - few) * (steps - 10) / 190
    return math.exp(exponent)
