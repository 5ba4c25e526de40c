"""SWF_SaveFolder: a result under the name of the picture it was made from."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from comfy_api.latest import io

from ..swf_core.errors import UserError
from .host.schema import schema


class SaveFolder(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return schema(
            "SWF_SaveFolder",
            "Save to Folder (named after source)",
            "Saves a result in output, named after the picture it was made from, so that Load Folder knows that it is "
            "done.",
            inputs=[
                io.Image.Input("images", tooltip="The result; further ones of a batch get _2, _3 behind the name."),
                io.String.Input("name", default="", tooltip="Connect 'name' of Load Folder."),
                io.String.Input(
                    "results",
                    default="swf_folder",
                    tooltip="A folder inside ComfyUI's output folder; the same as in Load Folder.",
                ),
            ],
            outputs=[],
            hidden=[io.Hidden.prompt, io.Hidden.extra_pnginfo],
            is_output_node=True,
            search_aliases=["save batch", "save images to folder", "keep filename"],
        )

    @classmethod
    def execute(cls, images: Any, name: str, results: str) -> io.NodeOutput:
        import folder_paths
        from PIL.PngImagePlugin import PngInfo

        from ..swf_core.files import write_files
        from ..swf_core.pictures import png_bytes
        from .host import picture_folders as folders

        if not len(images):
            raise UserError("The images are an empty batch; give at least one picture.")
        folder = folders.results_folder(results)
        text = PngInfo()
        for key, value in folders.metadata(cls.hidden).items():
            text.add_text(key, json.dumps(value))
        # The first one last: it is what says that this picture is done.
        files: dict[Path, bytes] = {}
        for number, image in reversed(list(enumerate(images, 1))):
            path = folders.result_path(folder, name if number == 1 else f"{name}_{number}")
            planes = image.movedim(-1, 0).cpu()
            files[path] = png_bytes(planes[:3], planes[3] if len(planes) > 3 else None, text)
        write_files(files)
        output = os.path.abspath(folder_paths.get_output_directory())
        place = str(folder.relative_to(output))
        saved = [{"filename": path.name, "subfolder": place, "type": "output"} for path in reversed(files)]
        return io.NodeOutput(ui={"images": saved})
