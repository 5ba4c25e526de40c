"""A style as one file that people share: picture, captions, settings and, where there is one, a LoRA.

A safetensors file. The picture is PNG data in the tensor `picture.png` (uint8), the LoRA's tensors lie under `lora.`,
everything else is text in the metadata. Nothing in it is code, and nothing in it names a path.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .errors import UserError
from .files import write_files
from .pictures import png_bytes

FORMAT, VERSION = "stylewallfacer-style", 1
LARGEST_BYTES = 20_000_000


@dataclass(frozen=True)
class StyleFile:
    """What a style file holds.

    * picture: [3, H, W] in 0..1, what the style was taken from.
    * caption, stripped: what the picture shows, with and without the words that say how it is made.
    * settings: of the transfer, by the names of `swf_core.transfer.Injection` and `TransferOptions`.
    * lora: tensors of a LoRA (kohya keys), empty without one; `family`: the models that it fits ("SD1.x", "mini", ...).
    """

    picture: Tensor
    caption: str = ""
    stripped: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    lora: Mapping[str, Tensor] = field(default_factory=dict)
    family: str = ""

    def check_family(self, family: str) -> None:
        """Raise UserError when this style brings a LoRA for another family of models."""
        if self.lora and self.family and self.family != family:
            raise UserError(
                f"The LoRA in this style is for {self.family} models and this one is {family}; load the style without "
                f"a model to use its picture and settings alone, or choose a model of {self.family}."
            )


def save_style(path: Path, style: StyleFile) -> None:
    """Write a style file, whole or not at all. Raises UserError when it would be larger than 20 MB."""
    from safetensors.torch import save

    picture = torch.frombuffer(bytearray(png_bytes(style.picture)), dtype=torch.uint8)
    tensors = {"picture.png": picture} | {f"lora.{k}": v.contiguous() for k, v in style.lora.items()}
    metadata = {
        "format": FORMAT,
        "version": str(VERSION),
        "caption": style.caption,
        "stripped": style.stripped,
        "settings": json.dumps(dict(style.settings)),
        "family": style.family,
    }
    data = save(tensors, metadata)
    if len(data) > LARGEST_BYTES:
        raise UserError(
            f"The style '{path.stem}' would be {len(data) / 1e6:.0f} MB, more than {LARGEST_BYTES / 1e6:.0f}; save a "
            "smaller picture, or a LoRA of lower rank in half precision."
        )
    write_files({path: data})


def load_style(path: Path) -> StyleFile:
    """Read a style file. Raises UserError when it is missing, broken, no style file, or of a newer kind."""
    from PIL import Image
    from safetensors import safe_open

    if not path.is_file():
        raise UserError(f"The style file '{path}' is missing; choose another.")
    try:
        with safe_open(path, "pt") as file:
            metadata = dict(file.metadata() or {})
            tensors = {name: file.get_tensor(name) for name in file.keys()}
    except Exception as error:  # whatever safetensors raises, the file is not one
        raise UserError(f"The style file '{path}' cannot be read; copy it again.") from error
    if metadata.get("format") != FORMAT or "picture.png" not in tensors:
        raise UserError(f"'{path}' is a safetensors file but no style; styles are saved by Style Save.")
    try:
        newer = int(metadata.get("version", "0")) > VERSION
        settings = json.loads(metadata.get("settings", "{}"))
        if not newer:
            with Image.open(io.BytesIO(tensors.pop("picture.png").numpy().tobytes())) as image:
                pixels = np.asarray(image.convert("RGB"), dtype=np.float32) / 255
    except (ValueError, OSError) as error:  # no number, no JSON, no picture
        raise UserError(f"The style file '{path}' is damaged; copy it again.") from error
    if newer:
        raise UserError(f"The style file '{path}' was made by a newer version of this pack; update the pack.")
    return StyleFile(
        torch.from_numpy(pixels).permute(2, 0, 1),
        metadata.get("caption", ""),
        metadata.get("stripped", ""),
        settings,
        {name.removeprefix("lora."): value for name, value in tensors.items() if name.startswith("lora.")},
        metadata.get("family", ""),
    )
