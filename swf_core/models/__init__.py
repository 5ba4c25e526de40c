"""Models behind three small contracts (`contracts.py`). Importing this loads neither diffusers nor transformers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UserError

if TYPE_CHECKING:
    import torch

    from .contracts import Backend


def load(
    spec: str | Path,
    *,
    lora: str | Path | Sequence[tuple[str | Path, float]] | None = None,
    device: str | torch.device = "cpu",
    dtype: torch.dtype | None = None,
) -> Backend:
    """A `Backend` from "mini", a diffusers folder (also of the transformers in `families`), or a single .safetensors
    file (SD1.x, SD2.x, SDXL).

    `lora`: a file, or a list of (file, weight); merged into this copy of the model. `dtype`: None means float32.
    Raises ValueError (UserError), one sentence, for a missing or broken file; never goes to the network.
    """
    import torch

    dtype = torch.float32 if dtype is None else dtype
    if str(spec) == "mini":
        from .mini import load_mini

        backend = load_mini(device=device, dtype=dtype)
    else:
        path = Path(spec)
        if (path / "transformer").is_dir():
            from .transformer_folder import load_transformer_folder

            backend = load_transformer_folder(path, device=device, dtype=dtype)
        elif path.is_dir():
            from .diffusers_backend import load_folder

            backend = load_folder(path, device=device, dtype=dtype)
        elif path.suffix == ".safetensors" and path.is_file():
            from .single_file import load_single_file

            backend = load_single_file(path, device=device, dtype=dtype)
        elif path.exists():
            raise UserError(f"The model '{spec}' is no .safetensors file; use mini, a folder or a .safetensors file.")
        else:
            raise UserError(f"The model '{spec}' does not exist; use mini, a diffusers folder, or a .safetensors file.")
    if lora is not None:
        from .lora_merge import merge_lora

        for file, weight in [(lora, 1.0)] if isinstance(lora, str | Path) else lora:
            merge_lora(backend, Path(file), weight)
    return backend
