"""A style as one file that people share: picture, captions, settings and, where there is one, a LoRA.

A safetensors file. The picture is PNG data in the tensor `picture.png` (uint8), the LoRA's tensors lie under `lora.`,
everything else is text in the metadata. Nothing in it is code, and nothing in it names a path.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from .errors import UserError
from .files import write_files
from .json_shape import Mapping as JsonMapping
from .json_shape import Texts, parse_json
from .pictures import from_png, png_bytes
from .pictures.damaged_png import SIGNATURE

FORMAT, VERSION = "stylewallfacer-style", 1
LARGEST_BYTES = 20_000_000
LONGEST_PX = 4096  # of the picture's sides, as it is kept in memory
LONGEST_TEXT = 20_000  # characters, of captions and of the settings' JSON
# What a setting of a transfer can be: `swf_core.transfer.Injection` checks the names and the ranges.
_PLAIN = (float, bool, Texts(1000), None)
SETTINGS = JsonMapping(Texts(100), (*_PLAIN, [_PLAIN]))


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
    """Write a style file, whole or not at all. Raises UserError when it would be larger than 20 MB or hold a longer
    text than `load_style` reads."""
    from safetensors.torch import save

    for name, text in (("caption", style.caption), ("stripped caption", style.stripped)):
        if len(text) > LONGEST_TEXT:
            raise UserError(f"The {name} has {len(text)} characters; a style keeps at most {LONGEST_TEXT}: shorten it.")
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
    """Read a style file. Raises UserError when it is missing, broken, too large, no style file, or of a newer kind.

    A picture longer than `LONGEST_PX` is scaled to that, so that the memory needed does not grow with what is claimed.
    """
    metadata, tensors = _read(path)
    if metadata.get("format") != FORMAT or "picture.png" not in tensors:
        raise UserError(f"'{path}' is a safetensors file but no style; styles are saved by Style Save.")
    version = metadata.get("version", "0")
    if not version.isascii() or not version.isdigit() or len(version) > 9:
        raise UserError(f"The style file '{path}' is damaged: its version is {version[:20]!r}; copy it again.")
    if int(version) > VERSION:
        raise UserError(f"The style file '{path}' was made by a newer version of this pack; update the pack.")
    texts = {name: metadata.get(name, "") for name in ("caption", "stripped", "family")}
    settings = metadata.get("settings", "{}")
    for name, text in {**texts, "settings": settings}.items():
        if len(text) > LONGEST_TEXT:
            raise UserError(
                f"The style file '{path}' is damaged: its {name} has {len(text)} characters, and at most "
                f"{LONGEST_TEXT} are read; copy it again."
            )
    data = tensors.pop("picture.png")
    if data.dtype != torch.uint8 or data.dim() != 1 or not bytes(data[:8].tolist()) == SIGNATURE:
        raise UserError(f"The style file '{path}' is damaged: its picture is no PNG data; copy it again.")
    return StyleFile(
        from_png(data.numpy().tobytes(), f"The picture in the style file '{path}'", LONGEST_PX),
        texts["caption"],
        texts["stripped"],
        parse_json(settings, SETTINGS, f"The settings in the style file '{path}'", "copy it again"),
        {name.removeprefix("lora."): value for name, value in tensors.items() if name.startswith("lora.")},
        texts["family"],
    )


def _read(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    """Metadata and tensors of a safetensors file that is no larger than a style may be."""
    from safetensors import safe_open

    if not os.path.isfile(path):
        raise UserError(f"The style file '{path}' is missing; choose another.")
    try:
        size = path.stat().st_size
        if size > LARGEST_BYTES:
            raise UserError(
                f"The style file '{path}' has {size / 1e6:.0f} MB, more than {LARGEST_BYTES / 1e6:.0f}, so it is no "
                "style; choose another."
            )
        with safe_open(path, "pt") as file:
            return dict(file.metadata() or {}), {name: file.get_tensor(name) for name in file.keys()}
    except UserError:
        raise
    except Exception as error:  # whatever safetensors raises, the file is not one
        raise UserError(f"The style file '{path}' cannot be read; copy it again.") from error
