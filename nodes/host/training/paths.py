"""Socket types of the training nodes, the folders they read and write, and pictures as IMAGE."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import folder_paths
import numpy as np
import torch
from comfy_api.latest import io

from ....swf_core.errors import UserError

DatasetType = io.Custom("SWF_DATASET")
RunType = io.Custom("SWF_RUN")


def runs_folder(owner: str = "") -> Path:
    """The folder of a user's runs: output/swf_runs; on a host with users (`gallery.users`) user/ID/swf_runs."""
    if not owner:
        return Path(folder_paths.get_output_directory()) / "swf_runs"
    if Path(owner).name != owner or owner.startswith("."):
        raise UserError(f"The user '{owner}' has no folder of that name; choose another user.")
    return Path(folder_paths.get_user_directory()) / owner / "swf_runs"


def input_folder(name: str) -> Path:
    """A folder inside the input directory. Raises UserError for one outside it."""
    root = Path(folder_paths.get_input_directory()).resolve()
    folder = (root / name).resolve()
    if folder != root and root not in folder.parents:
        raise UserError(f"The folder '{name}' is not inside the input directory; put the pictures there.")
    return folder


def lora_target(name: str) -> Path:
    """The file of a LoRA in the host's `loras` folder. Raises UserError for a name that cannot be a file's."""
    from ....swf_core.learn.run import check_run_name

    return Path(folder_paths.get_folder_paths("loras")[0]) / f"{check_run_name(name)}.safetensors"


def as_batch(pictures: list[Any]) -> Any:
    """Pictures [3, H, W] of one size as an IMAGE batch; a grey pixel when there is none."""
    if not pictures:
        return torch.full((1, 64, 64, 3), 0.5)
    return torch.stack([p.permute(1, 2, 0) for p in pictures]).contiguous()


def as_image(picture: Any) -> Any:
    """A Pillow picture as an IMAGE of one."""
    return torch.from_numpy(np.asarray(picture.convert("RGB"), dtype=np.float32) / 255)[None]
