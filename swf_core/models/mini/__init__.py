"""The embedded text-to-image model `mini`: small models of real classes trained on the procedural world.

Weights are two files: `vae.safetensors` (TAESD's layout) and `base.safetensors` (`unet.*` under diffusers' names,
`text.*` under transformers'; shape, vocabulary, schedule and prediction type in its metadata).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

    from ..contracts import Backend

NATIVE_SIZE_PX = 128


def load_mini(
    folder: Path | str | None = None, device: str | torch.device = "cpu", dtype: torch.dtype | None = None
) -> Backend:
    """The embedded model as a `Backend`. `folder`: where the weights are, default the shipped ones.

    Raises UserError when a file is missing or damaged.
    """
    import torch

    from ..diffusers_backend import backend_from_modules
    from .autoencoder_tiny import load_autoencoder_tiny
    from .text import WordTokenizer, load_text, new_text_model
    from .unet import new_unet
    from .weight_files import WEIGHTS, as_float, read_weights

    folder = Path(folder) if folder else WEIGHTS
    base, meta = read_weights(folder / "base.safetensors")
    taesd, _ = read_weights(folder / "vae.safetensors")
    tokenizer = WordTokenizer(json.loads(meta["vocabulary"]))
    unet, text = new_unet(tuple(json.loads(meta["channels"]))), new_text_model(tokenizer)
    unet.load_state_dict(as_float(base, "unet."))
    load_text(text, as_float(base, "text."))
    parts: list[torch.nn.Module] = [unet, text, load_autoencoder_tiny(taesd)]
    modules = [module.to(device) for module in parts]
    if dtype not in (None, torch.float32):
        modules = [module.to(dtype) for module in modules]
    return backend_from_modules(
        modules[0],
        [modules[1]],
        [tokenizer],
        modules[2],
        json.loads(meta["scheduler"]),
        name="mini",
        native_size_px=NATIVE_SIZE_PX,
        family="mini",
    )
