"""SWF_StyleLoad: a style file, its picture shown, its LoRA on a MODEL."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import folder_paths
from comfy_api.latest import io, ui

from ..swf_core.errors import UserError
from .host.lora import put_lora
from .host.schema import schema
from .host.style_folders import FOLDER, style_folders
from .host.transfer.inspection import inspect_network
from .host.transfer.sources import StyleType


class StyleLoad(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        style_folders()
        return schema(
            "SWF_StyleLoad",
            "Style Load (StyleWallfacer)",
            "Loads a style file and shows its picture. With a MODEL, the file's LoRA is put on it.",
            inputs=[
                io.Combo.Input(
                    "file",
                    options=folder_paths.get_filename_list(FOLDER),
                    tooltip="From models/swf_styles or output/swf_styles; press R after adding one.",
                ),
                io.Float.Input(
                    "lora_strength",
                    default=1.0,
                    min=-2.0,
                    max=2.0,
                    step=0.05,
                    tooltip="Of the LoRA in the file; 0 leaves the model as it is.",
                ),
                io.Model.Input("model", optional=True, tooltip="Gets the file's LoRA; of the LoRA's own family."),
            ],
            outputs=[
                StyleType.Output(display_name="style", tooltip="For the style input of a transfer."),
                io.Image.Output(display_name="picture", tooltip="The style picture."),
                io.String.Output(display_name="caption", tooltip="What the picture shows."),
                io.String.Output(display_name="stripped_caption", tooltip="The same without words for how it is made."),
                io.Model.Output(display_name="model", tooltip="The model with the LoRA, or as it came without one."),
                io.String.Output(display_name="settings", tooltip="How the sender had set the transfer, as JSON."),
            ],
            search_aliases=["load style", "import style"],
        )

    @classmethod
    def execute(cls, file: str, lora_strength: float, model: Any = None) -> io.NodeOutput:
        from ..swf_core.style_file import load_style

        style_folders()
        path = folder_paths.get_full_path(FOLDER, file)
        if path is None:
            raise UserError(f"The style file '{file}' is missing; press R to see which there are.")
        style = load_style(Path(path))
        if model is not None and style.lora and lora_strength != 0.0:
            style.check_family(inspect_network(model.model).family)
            model = put_lora(model, style.lora, lora_strength, file)
        picture = style.picture.permute(1, 2, 0)[None]
        return io.NodeOutput(
            style,
            picture,
            style.caption,
            style.stripped,
            model,
            json.dumps(dict(style.settings), indent=1),
            ui=ui.PreviewImage(picture, cls=cls),
        )

    @classmethod
    def fingerprint_inputs(cls, file: str, **_: Any) -> float:
        """A file saved again under its name is read again."""
        style_folders()
        path = folder_paths.get_full_path(FOLDER, file)
        return Path(path).stat().st_mtime if path else math.nan
