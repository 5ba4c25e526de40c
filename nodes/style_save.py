"""SWF_StyleSave: a style as one file that artists share."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io, ui

from ..swf_core.errors import UserError
from ..swf_core.models.lora_formats.reading import check_layers
from .host.schema import schema
from .host.style_folders import style_folders
from .host.transfer.inspection import inspect_network
from .host.transfer.patch import transfer_on
from .host.transfer.settings import settings_of
from .host.transfer.sources import StyleType


class StyleSave(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return schema(
            "SWF_StyleSave",
            "Style Save (StyleWallfacer)",
            "Saves a style as one file under 20 MB to share: the picture, its captions, the settings of the style "
            "transfer on a MODEL, and a LoRA if there is one.",
            inputs=[
                io.Image.Input("picture", tooltip="The style picture; of a batch, the first."),
                io.String.Input("name", default="my style", tooltip="The file's name, in output/swf_styles."),
                io.String.Input(
                    "caption", default="", multiline=True, tooltip="What the picture shows; may stay empty."
                ),
                io.String.Input(
                    "stripped_caption",
                    default="",
                    multiline=True,
                    tooltip="The caption without words for how it is made; may stay empty.",
                ),
                io.Model.Input(
                    "model",
                    optional=True,
                    tooltip="A MODEL with a Query-Preserve Attention Patch: its settings go into the file.",
                ),
                io.LoraModel.Input("lora", optional=True, tooltip="A trained LoRA that goes into the file."),
            ],
            outputs=[StyleType.Output(display_name="style", tooltip="The saved style.")],
            is_output_node=True,
            search_aliases=["save style", "export style", "share style"],
        )

    @classmethod
    def execute(
        cls, picture: Any, name: str, caption: str, stripped_caption: str, model: Any = None, lora: Any = None
    ) -> io.NodeOutput:
        from ..swf_core.style_file import StyleFile, save_style

        if not len(picture):
            raise UserError("The style picture is an empty batch; give one picture.")
        plain = "".join(c for c in name.strip() if c not in '<>:"/\\|?*' and ord(c) >= 32).strip(". ")
        if not plain:
            raise UserError(f"The name {name!r} cannot be a file's name; use letters or digits.")
        if lora is not None and model is None:
            raise UserError("A LoRA was given without the MODEL it is for; connect 'model' too.")
        plan = None if model is None else transfer_on(model)
        settings = {} if plan is None else settings_of(plan)
        style = StyleFile(
            picture[0, ..., :3].permute(2, 0, 1).float().cpu(),
            caption,
            stripped_caption,
            settings,
            {k: v.detach().half().cpu() for k, v in (lora or {}).items()},
            "" if model is None else inspect_network(model.model).family,
        )
        if style.lora:  # a number that half precision cannot hold is infinite by now
            check_layers(style.lora, "of the lora input")
        save_style(style_folders()[-1] / f"{plain}.safetensors", style)
        return io.NodeOutput(style, ui=ui.PreviewImage(picture[:1], cls=cls))
