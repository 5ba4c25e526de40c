"""SWF_StyleDataset: pictures of a style with their stripped captions, for the trainer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from comfy_api.latest import io

from ..swf_core.errors import UserError
from .host.schema import schema
from .host.training.paths import DatasetType, input_folder


class StyleDataset(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return schema(
            "SWF_StyleDataset",
            "Style Dataset (for LoRA training)",
            "Pictures of one style, each with a caption that says what it shows and nothing of how it is made. One "
            "picture is enough. Chain several for pictures of other sizes or weights.",
            inputs=[
                io.Image.Input("image", optional=True, tooltip="The pictures; or give a folder."),
                io.String.Input(
                    "captions",
                    default="",
                    multiline=True,
                    tooltip="One caption a line, for each picture, or one for all; from Style-Strip LLM.",
                ),
                io.String.Input(
                    "folder",
                    default="",
                    tooltip="Instead of pictures: a folder in the input directory, with a .txt caption beside each "
                    "picture.",
                ),
                io.Float.Input("weight", default=1.0, min=0.01, max=100.0, step=0.01, tooltip="Against the others."),
                io.Int.Input("repeats", default=1, min=1, max=1000, tooltip="How often a picture counts."),
                DatasetType.Input("dataset", optional=True, tooltip="Another data set; these are added to it."),
            ],
            outputs=[
                DatasetType.Output(display_name="dataset", tooltip="For LoRA Style Train."),
                io.String.Output(display_name="report", tooltip="What is in it, a picture a line."),
            ],
            search_aliases=["training data", "image captions", "style pictures"],
            is_input_list=True,
        )

    @classmethod
    def execute(
        cls,
        captions: list[str],
        folder: list[str],
        weight: list[float],
        repeats: list[int],
        image: list[Any] | None = None,
        dataset: list[Any] | None = None,
    ) -> io.NodeOutput:
        from ..swf_core.learn.dataset import MAX_REPEATS, items_from_folder, items_of

        # Captions come as a list (one a picture, from Style-Strip LLM) or as lines of one text.
        texts = captions if len(captions) > 1 else [line for line in captions[0].splitlines() if line.strip()] or [""]
        pictures = [p[..., :3].permute(2, 0, 1).float().cpu() for batch in image or [] for p in batch]
        if folder[0].strip() and pictures:
            raise UserError("Pictures and a folder were both given; give one of them.")
        if folder[0].strip():
            caption = texts[0] if len(texts) == 1 and texts[0] else None
            added = items_from_folder(input_folder(folder[0].strip()), caption)
            added = tuple(replace(i, weight=weight[0], repeats=min(i.repeats * repeats[0], MAX_REPEATS)) for i in added)
        else:
            added = items_of(pictures, texts, weight[0], repeats[0])
        items = tuple(item for part in dataset or [] for item in part) + added
        lines = [f"{i.picture.shape[-1]} x {i.picture.shape[-2]}, weight {i.share:g}: {i.caption}" for i in items]
        return io.NodeOutput(items, "\n".join(lines))
