"""Captioners, CLIPs and instruct models by ComfyUI's folders, held by its memory manager while they are used."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import comfy.model_management as mm
import comfy.model_patcher
import folder_paths
import torch

from ...swf_core.errors import UserError
from ...swf_core.words.pretrained import BLIP_IDS, CLIP_IDS, EMBEDDED

# Kind of model: where ComfyUI keeps such models, and what may be downloaded.
FOLDERS = {"captioner": "blip", "clip": "clip_whole", "llm": "LLM"}
DOWNLOADS = {"captioner": BLIP_IDS, "clip": CLIP_IDS, "llm": ()}
DOWNLOAD = "download: "
NONE = "none"
# Models of nodes with keep_loaded: at most one of a kind, (what was chosen, its patcher, the model).
_cached: dict[str, tuple[str, Any, Any]] = {}


def folders(kind: str) -> list[Path]:
    """Where models of a kind lie: models/blip and so on, and what extra_model_paths.yaml adds."""
    name = FOLDERS[kind]
    if name not in folder_paths.folder_names_and_paths:
        folder_paths.add_model_folder_path(name, str(Path(folder_paths.models_dir) / name))
    return [Path(p) for p in folder_paths.get_folder_paths(name)]


def model_choices(kind: str) -> list[str]:
    """What a node offers: the embedded model, folders that hold a model, and downloads, which are chosen by name."""
    names = {
        folder.name
        for place in folders(kind)
        if place.is_dir()
        for folder in place.iterdir()
        if (folder / "config.json").is_file()
    }
    first = [NONE] if kind == "llm" else [EMBEDDED]
    last = [] if kind != "clip" else [NONE]
    return [*first, *sorted(names), *(DOWNLOAD + name.rsplit("/", 1)[-1] for name in DOWNLOADS[kind]), *last]


def resolve(kind: str, option: str) -> tuple[str, bool]:
    """What to load for an option, and whether it is a download. Raises UserError when its folder is not there."""
    if option == EMBEDDED and kind != "llm":
        return EMBEDDED, False
    if option.startswith(DOWNLOAD):
        named = option.removeprefix(DOWNLOAD)
        for name in DOWNLOADS[kind]:
            if name.endswith("/" + named):
                return name, True
        raise UserError(f"'{named}' is not downloaded; choose one of {', '.join(model_choices(kind))}.")
    for place in folders(kind):
        if (place / option / "config.json").is_file():
            return str(place / option), False
    raise UserError(
        f"There is no model '{option}' in models/{FOLDERS[kind]}; put a folder with its files there, press R and "
        "choose it."
    )


@contextmanager
def loaded_model(kind: str, option: str, load: Callable[[str, bool], Any], keep: bool) -> Iterator[Any]:
    """A model with a `.model` that ComfyUI's memory manager has put in place; freed afterwards unless it is kept."""
    cached_option, patcher, model = _cached.get(kind, ("", None, None))
    if cached_option != option:
        release(kind)
        where, download = resolve(kind, option)
        # Weights made in inference mode could not be moved by the host later, outside of it.
        with torch.inference_mode(False):
            model = load(where, download)
            # The host sets `.device` on what it manages; on a model of transformers that property has no setter.
            case = torch.nn.Module()
            case.add_module("model", model.model)
        patcher = comfy.model_patcher.ModelPatcher(
            case, load_device=mm.text_encoder_device(), offload_device=mm.text_encoder_offload_device()
        )
    # These modules cannot run half on the GPU and half off it, as the host's own can.
    mm.load_models_gpu([patcher], force_full_load=True)
    if keep:
        _cached[kind] = (option, patcher, model)
    try:
        yield model
    finally:
        if not keep:
            release(kind)
            _unload(patcher)


def release(kind: str) -> None:
    """Forget the cached model of a kind."""
    _, patcher, _ = _cached.pop(kind, ("", None, None))
    if patcher is not None:
        _unload(patcher)


def _unload(patcher: Any) -> None:
    """Take one model out of the memory manager's list, and nothing else."""
    for loaded in [m for m in mm.current_loaded_models if m.model is patcher]:
        loaded.model_unload()
        mm.current_loaded_models.remove(loaded)
    mm.soft_empty_cache()
