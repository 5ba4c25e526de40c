"""SWF_LoadFolder: a folder's pictures one by one, a picture a run of the queue."""

from __future__ import annotations

import math
from typing import Any

from comfy_api.latest import io, ui

from ..swf_core.errors import UserError
from .host.schema import schema


class LoadFolder(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return schema(
            "SWF_LoadFolder",
            "Load Folder (one picture a run)",
            "Gives the pictures of a folder one by one: each run of the queue takes the next that has no result yet. "
            "Stopped, it goes on where it was; a picture that cannot be read is noted and passed over.",
            inputs=[
                io.String.Input(
                    "folder",
                    default="",
                    tooltip="A folder inside ComfyUI's input folder, such as shots; empty is the input folder itself.",
                ),
                io.String.Input(
                    "results",
                    default="swf_folder",
                    tooltip="The folder inside ComfyUI's output folder that Save to Folder writes into; what has a "
                    "result there is done.",
                ),
                io.Int.Input(
                    "index",
                    default=-1,
                    min=-1,
                    max=999999,
                    tooltip="-1 takes the next picture without a result; 0 and up the picture of that number, done or "
                    "not.",
                ),
            ],
            outputs=[
                io.Image.Output(display_name="image", tooltip="The picture, upright, in sRGB."),
                io.Mask.Output(display_name="mask", tooltip="What its alpha hides, as Load Image gives it."),
                io.String.Output(display_name="name", tooltip="Its name, for Save to Folder."),
                io.Int.Output(display_name="left", tooltip="How many are left after this one."),
            ],
            search_aliases=["batch folder", "load images from folder", "image directory", "queue folder"],
        )

    @classmethod
    def execute(cls, folder: str, results: str, index: int) -> io.NodeOutput:
        import torch

        from ..swf_core.pictures import load
        from .host import picture_folders as folders

        source, done = folders.source_folder(folder), folders.results_folder(results)
        every = folders.sources(source)
        if index >= len(every):
            raise UserError(f"index is {index}; the folder holds {len(every)} pictures, from 0 to {len(every) - 1}.")
        waiting = [every[index]] if index >= 0 else [each for each in every if not folders.is_done(each, done)]
        while waiting:
            each = waiting.pop(0)
            try:
                picture = load(each.path)
            except UserError as error:
                if index >= 0:
                    raise
                folders.give_up(each, done, str(error))
                continue
            image = picture.pixels.permute(1, 2, 0)[None]
            hidden = torch.zeros(image.shape[1:3]) if picture.alpha is None else 1.0 - picture.alpha
            left = sum(not folders.is_done(other, done) and other != each for other in every)
            return io.NodeOutput(image, hidden[None], each.name, left, ui=ui.PreviewImage(image, cls=cls))
        raise UserError(
            f"Nothing is left to do: all {len(every)} pictures of '{folder or 'input'}' have a result in "
            f"output/{results}; take results away to make them again, or choose another folder for them."
        )

    @classmethod
    def fingerprint_inputs(cls, folder: str, results: str, index: int, **_: Any) -> Any:
        """Runs again as soon as a picture or a result has come or gone."""
        from .host import picture_folders as folders

        try:
            return str(folders.state_of(folders.source_folder(folder), folders.results_folder(results)))
        except UserError:
            return math.nan
