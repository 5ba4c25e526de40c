"""The folders of style files: models/swf_styles, and output/swf_styles where they are saved."""

from __future__ import annotations

from pathlib import Path

import folder_paths

FOLDER = "swf_styles"


def style_folders() -> list[Path]:
    """Where styles are looked for: models/swf_styles, and output/swf_styles, where they are saved."""
    if FOLDER not in folder_paths.folder_names_and_paths:
        folder_paths.add_model_folder_path(FOLDER, str(Path(folder_paths.models_dir) / FOLDER))
    saved = str(Path(folder_paths.get_output_directory()) / FOLDER)
    if saved not in folder_paths.get_folder_paths(FOLDER):
        folder_paths.add_model_folder_path(FOLDER, saved)
    return [Path(p) for p in folder_paths.get_folder_paths(FOLDER)]
