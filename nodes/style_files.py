"""SWF_StyleSave and SWF_StyleLoad: a style as one file that artists share."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

from comfy_api.latest import io, ui

from ..swf_core.errors import UserError
from .host.inputs import StyleType
from .host.schema import schema

FOLDER = "swf_styles"


def style_folders() -> list[Path]:
    """Where styles are looked for: models/swf_styles, and output/swf_styles, where they are saved."""
    import folder_paths

    if FOLDER not in folder_paths.folder_names_and_paths:
        folder_paths.add_model_folder_path(FOLDER, str(Path(folder_paths.models_dir) / FOLDER))
    saved = str(Path(folder_paths.get_output_directory()) / FOLDER)
    if saved not in folder_paths.get_folder_paths(FOLDER):
        folder_paths.add_model_folder_path(FOLDER, saved)
    return [Path(p) for p in folder_paths.get_folder_paths(FOLDER)]


class StyleSave(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return schema(
            "SWF_StyleSave",
            "Style Save",
            "Saves a style as one file under 20 MB to share: the picture, its captions, the settings of the style "
            "transfer on a MODEL, and a LoRA if there is one.",
            inputs=[
                io.Image.Input("picture", tooltip="The style picture; of a batch, the first."),
                io.String.Input("name", default="my style", tooltip="The file's name, in output/swf_styles."),
                io.String.Input(
                    "caption", default="", multiline=True, tooltip="What the picture shows; may stay empty."
                ),
                io.String.Input(
                    "stripped_caption", default="", multiline=True,
                    tooltip="The caption without words for how it is made; may stay empty.",
                ),
                io.Model.Input(
                    "model", optional=True,
                    tooltip="A MODEL with a Query-Preserve Attention Patch: its settings go into the file.",
                ),
                io.LoraModel.Input("lora", optional=True, tooltip="A trained LoRA that goes into the file."),
            ],
            outputs=[StyleType.Output(display_name="style", tooltip="The saved style.")],
            is_output_node=True,
            search_aliases=["save style", "export style", "share style"],
        )  # fmt: skip

    @classmethod
    def execute(
        cls, picture: Any, name: str, caption: str, stripped_caption: str, model: Any = None, lora: Any = None
    ) -> io.NodeOutput:
        from ..swf_core.style_file import StyleFile, save_style
        from .host.patch import transfer_on
        from .host.unet import look_at

        if not len(picture):
            raise UserError("The style picture is an empty batch; give one picture.")
        plain = "".join(c for c in name.strip() if c not in '<>:"/\\|?*' and ord(c) >= 32).strip(". ")
        if not plain:
            raise UserError(f"The name {name!r} cannot be a file's name; use letters or digits.")
        if lora is not None and model is None:
            raise UserError("A LoRA was given without the MODEL it is for; connect 'model' too.")
        transfer = None if model is None else transfer_on(model)
        settings: dict[str, Any] = {}
        if transfer is not None:
            values = asdict(transfer.injection) | {
                "style_guidance": transfer.style_guidance, "leak_guard": transfer.leak_guard,
            }  # fmt: skip
            settings = {k: v for k, v in values.items() if not (isinstance(v, float) and math.isinf(v))}
        style = StyleFile(
            picture[0, ..., :3].permute(2, 0, 1).float().cpu(), caption, stripped_caption, settings,
            {k: v.detach().half().cpu() for k, v in (lora or {}).items()},
            "" if model is None else look_at(model.model).family,
        )  # fmt: skip
        save_style(style_folders()[-1] / f"{plain}.safetensors", style)
        return io.NodeOutput(style, ui=ui.PreviewImage(picture[:1], cls=cls))


class StyleLoad(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        import folder_paths

        style_folders()
        return schema(
            "SWF_StyleLoad",
            "Style Load",
            "Loads a style file and shows its picture. With a MODEL, the file's LoRA is put on it.",
            inputs=[
                io.Combo.Input(
                    "file", options=folder_paths.get_filename_list(FOLDER),
                    tooltip="From models/swf_styles or output/swf_styles; press R after adding one.",
                ),
                io.Float.Input(
                    "lora_strength", default=1.0, min=-2.0, max=2.0, step=0.05,
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
        )  # fmt: skip

    @classmethod
    def execute(cls, file: str, lora_strength: float, model: Any = None) -> io.NodeOutput:
        import comfy.sd
        import folder_paths

        from ..swf_core.style_file import load_style
        from .host.unet import look_at

        style_folders()
        path = folder_paths.get_full_path(FOLDER, file)
        if path is None:
            raise UserError(f"The style file '{file}' is missing; press R to see which there are.")
        style = load_style(Path(path))
        if model is not None and style.lora and lora_strength != 0.0:
            style.check_family(look_at(model.model).family)
            model, _ = comfy.sd.load_lora_for_models(model, None, dict(style.lora), lora_strength, 0.0)
        picture = style.picture.permute(1, 2, 0)[None]
        return io.NodeOutput(
            style, picture, style.caption, style.stripped, model, json.dumps(dict(style.settings), indent=1),
            ui=ui.PreviewImage(picture, cls=cls),
        )  # fmt: skip

    @classmethod
    def fingerprint_inputs(cls, file: str, **_: Any) -> float:
        """A file saved again under its name is read again."""
        import folder_paths

        style_folders()
        path = folder_paths.get_full_path(FOLDER, file)
        return Path(path).stat().st_mtime if path else math.nan
