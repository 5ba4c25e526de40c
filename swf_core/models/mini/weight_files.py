"""The embedded model's files: half-precision safetensors beside this module, checked by sha256."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ...errors import UserError

WEIGHTS = Path(__file__).parent / "weights"
SUMS = "SHA256SUMS"


def read_weights(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors and metadata of a weight file. Raises UserError when it is missing, broken or not what it was."""
    from safetensors import safe_open

    check_sum(path, path.parent)
    try:
        with safe_open(path, "pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, dict(file.metadata() or {})
    except Exception as error:  # whatever safetensors raises, the file is not one
        raise UserError(
            f"The weight file '{path}' is not a readable safetensors file; restore it from the repository."
        ) from error


def check_sum(path: Path, folder: Path) -> None:
    """Raise UserError when a weight file in or below `folder` is missing or not what that folder's checksums say."""
    if not path.is_file():
        raise UserError(
            f"The weight file '{path}' is missing; restore it from the repository or run: "
            "python -m swf_core mini build."
        )
    expected = checksums(folder).get(path.relative_to(folder).as_posix())
    if expected and sha256(path) != expected:
        raise UserError(
            f"The weight file '{path}' is damaged (its sha256 is not the one in {SUMS}); restore it from "
            "the repository."
        )


def write_weights(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, Any]) -> None:
    """Write half-precision weights under a temporary name, then in place, and note the checksum beside them."""
    from safetensors.torch import save

    from ...files import write_files

    half = {k: (v.detach().half() if v.is_floating_point() else v.detach()).contiguous() for k, v in tensors.items()}
    data = save(half, {k: v if isinstance(v, str) else json.dumps(v) for k, v in metadata.items()})
    sums = checksums(path.parent) | {path.name: hashlib.sha256(data).hexdigest()}
    text = "".join(f"{value}  {name}\n" for name, value in sorted(sums.items()))
    write_files({path: data, path.parent / SUMS: text.encode()})


def checksums(folder: Path) -> dict[str, str]:
    """File name to sha256, as noted in the folder."""
    path = folder / SUMS
    lines = path.read_text().splitlines() if path.exists() else []
    return {name: value for value, name in (line.split(maxsplit=1) for line in lines)}


def sha256(path: Path) -> str:
    """The file's sha256 in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def as_float(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors under a prefix, without it, in float32."""
    return {
        k.removeprefix(prefix): v.to(torch.float32) if v.is_floating_point() else v
        for k, v in tensors.items()
        if k.startswith(prefix)
    }
