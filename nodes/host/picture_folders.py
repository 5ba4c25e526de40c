"""Folders of pictures that a queue works through: where they may lie, which picture is next, what was given up.

A picture counts as done when a result of its name is there, or a note that it could not be read. So a queue that was
stopped goes on, and a file that is taken away is made again.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import folder_paths

from ...swf_core.batch.inputs import expand
from ...swf_core.errors import UserError
from ...swf_core.files import write_files

# Further folders, which the owner of this ComfyUI lists in extra_model_paths.yaml.
LISTED = "swf_pictures"
RESULTS = "swf_folder"
FAILED = ".not_read.txt"


@dataclass(frozen=True)
class Source:
    """A picture of a folder, under the name that its result gets."""

    path: Path
    name: str


def source_folder(name: str) -> Path:
    """A folder within ComfyUI's input folder, or within one that is listed for pictures.

    Raises UserError for any other: whoever can queue a graph could else read every picture of this machine.
    """
    listed = folder_paths.get_folder_paths(LISTED) if LISTED in folder_paths.folder_names_and_paths else []
    roots = [Path(os.path.abspath(root)) for root in (folder_paths.get_input_directory(), *listed)]
    for root in roots:
        folder = _within(root, name)
        if folder is not None and folder.is_dir():
            return folder
    there = sorted(path.name for path in roots[0].iterdir() if path.is_dir()) if roots[0].is_dir() else []
    raise UserError(
        f"'{name}' is no folder in ComfyUI's input folder ({', '.join(there[:8]) or 'there are none'}); put one there, "
        f"or list the folder it is in under {LISTED} in extra_model_paths.yaml."
    )


def results_folder(name: str) -> Path:
    """A folder within ComfyUI's output folder, whether or not it is there yet. Raises UserError for any other."""
    folder = _within(Path(os.path.abspath(folder_paths.get_output_directory())), name)
    if not name.strip() or folder is None:
        raise UserError(f"'{name}' is no folder in ComfyUI's output folder; give a name such as {RESULTS}.")
    return folder


def _within(root: Path, name: str) -> Path | None:
    """The folder of this name below a root; None where the name leads out of it. A link that lies there may."""
    folder = Path(os.path.abspath(root / name.strip()))
    return folder if folder.is_relative_to(root) else None


def sources(folder: Path) -> list[Source]:
    """The pictures right in a folder, in the order people count; of two that differ in their ending alone, the ending
    goes into the name."""
    paths = expand([folder])
    stems = Counter(path.stem.casefold() for path in paths)
    return [
        Source(path, path.stem if stems[path.stem.casefold()] == 1 else path.name.replace(".", "_")) for path in paths
    ]


def result_path(results: Path, name: str) -> Path:
    """The file of a result. Raises UserError for a name that would lead elsewhere."""
    if not name.strip() or Path(name).name != name or name in (".", ".."):
        raise UserError(f"The name {name!r} is no file's name; connect 'name' of Load Folder.")
    return results / f"{name}.png"


def is_done(source: Source, results: Path) -> bool:
    """Whether a picture has its result, or could not be read."""
    return result_path(results, source.name).exists() or (results / f"{source.name}{FAILED}").exists()


def give_up(source: Source, results: Path, why: str) -> None:
    """Note that a picture cannot be read, so that the queue goes on without it."""
    write_files({results / f"{source.name}{FAILED}": f"{why}\nDelete this file to try again.\n".encode()})


def state_of(folder: Path, results: Path) -> list[tuple[str, float, bool]]:
    """What decides which picture comes next."""
    return [(s.name, s.path.stat().st_mtime, is_done(s, results)) for s in sources(folder)]


def metadata(hidden: Any) -> dict[str, Any]:
    """The graph that a result came from, as the host's own nodes write it; nothing where it is told not to."""
    from comfy.cli_args import args

    if args.disable_metadata or hidden is None:
        return {}
    graph = {"prompt": hidden.prompt} if getattr(hidden, "prompt", None) else {}
    return graph | dict(getattr(hidden, "extra_pnginfo", None) or {})
