"""Loading what the arguments name: the device, the model with its LoRA, pictures."""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..errors import UserError


def device_of(name: str) -> str:
    """A device that can be used; "auto" is a GPU where there is one."""
    import torch

    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of kinds of device that torch is giving up
            usable = float(torch.ones(2, device=name).sum()) == 2.0  # some can be named, and hold no numbers
    except Exception as error:  # each kind of device that is not built in raises another
        raise UserError(f"The device '{name[:60]}' cannot be used here; choose --device cpu.") from error
    if not usable:
        raise UserError(f"The device '{name[:60]}' computes wrongly here; choose --device cpu.")
    return name


def dtype_of(args: argparse.Namespace) -> Any:
    """The torch type that --precision names; float32 for verbs without it."""
    import torch

    names = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
    return names[getattr(args, "precision", "fp32")]


def load_backend(args: argparse.Namespace) -> Any:
    """Load the model that --model, --lora and --device name."""
    from ..models import load

    device = device_of(args.device)
    lora = None if args.lora is None else [(args.lora, args.lora_weight)]
    return load(args.model, lora=lora, device=device, dtype=dtype_of(args))


def load_guided(args: argparse.Namespace) -> tuple[Any, Any]:
    """The model with its LoRA; and the plain one where guidance is asymmetric, else None."""
    from ..models import load, lora_file, lora_load
    from ..models.lora import without_lora
    from ..models.lora_formats.reading import check_layers

    if args.lora is None or args.lora_guidance == "both":
        return load_backend(args), None
    tensors, metadata = lora_file.read(args.lora)
    if args.lora_guidance == "auto" and "swf_run" not in metadata:
        return load_backend(args), None
    layers = check_layers(tensors, str(args.lora), metadata, args.lora)
    plain = load(args.model, device=device_of(args.device), dtype=dtype_of(args))
    if not lora_load.can_be_switched(layers, plain.denoiser.module_names):
        return load_backend(args), plain  # text encoders too, several ranks, or no plain LoRA: two copies of the model
    adapter = lora_load.load(plain.denoiser.network, plain.denoiser.module_names, args.lora)
    adapter.set_strength(args.lora_weight)
    return plain, without_lora(plain, adapter)


def load_pictures(paths: Sequence[Path], size: int | None, *, model: str | None = None) -> list[Any]:
    """Read pictures, every head before the first is decoded; kept no larger than anything after this needs.

    One that is too thin for `size` is refused. `model`: without a size its native one counts; where only loading it
    tells, `check_sizes` is asked then.
    """
    from .. import pictures
    from ..models.native_size import native_size_px

    for path in paths:
        pictures.check(path)
    loaded = [pictures.load(path, long_side=size or 1024) for path in paths]
    working = size or (1024 if model is None else native_size_px(model))
    if working is not None:
        check_sizes(loaded, working)
    return loaded


def check_sizes(loaded: Sequence[Any], size: int) -> None:
    """Refuse pictures of which nothing would be left at a long side of `size`."""
    from .. import pictures

    for picture in loaded:
        pictures.check_size(picture, size)
