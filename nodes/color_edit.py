"""SWF_ColorEdit: colors by words, palette or reference, on a MODEL while it samples, on an IMAGE at once."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io
from comfy_execution.graph import ExecutionBlocker

from ..swf_core.errors import UserError
from .host.schema import number, schema


class ColorEdit(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        from ..swf_core.color.methods import METHODS

        return schema(
            "SWF_ColorEdit",
            "Color Edit (recolor, palette)",
            "Changes colors by words, by a palette or after a reference picture. On a MODEL it acts while any sampler "
            "runs; on an IMAGE before (the style picture, say) or after. Drawing and shading stay.",
            inputs=[
                io.Model.Input("model", optional=True, tooltip="Recolored while it samples. It is not changed."),
                io.Image.Input("image", optional=True, tooltip="Recolored at once, by palette or reference."),
                io.Image.Input(
                    "reference", optional=True, tooltip="The picture whose colors are taken; leave 'palette' empty."
                ),
                io.Mask.Input("mask", optional=True, tooltip="Where colors change; without it, everywhere."),
                io.Clip.Input("clip", optional=True, tooltip="Reads 'words'; needed for them."),
                io.Vae.Input(
                    "vae",
                    optional=True,
                    tooltip="Shows how latents hold colors; needed for a palette or reference on a model.",
                ),
                io.String.Input(
                    "words",
                    default="",
                    multiline=True,
                    tooltip="For the model, one change a line: 'a red house -> a blue house'. Or only 'a blue house' "
                    "where the prompt already says the same of another color. ': 2' at the end is a strength.",
                ),
                number(
                    "words_strength",
                    3.0,
                    0.0,
                    20.0,
                    0.05,
                    "1 goes as far as the model itself when told so, 3 is sure; 0 is off.",
                ),
                io.String.Input(
                    "palette",
                    default="",
                    multiline=True,
                    tooltip="Colors to move to: 'navy, #e9c46a, white', with shares if you like ('navy 60%, ...'); or "
                    "edits of the picture's own: '#a63f1b -> navy'. A click on a swatch below writes one.",
                ),
                io.Combo.Input(
                    "method",
                    options=list(METHODS),
                    default="linear",
                    tooltip="How a reference's colors are taken. linear: mean and covariance; sliced: all of it; "
                    "wavelet: broad colors, own strokes; luminance: hues only (keeps a content's colors).",
                ),
                number(
                    "strength",
                    1.0,
                    0.0,
                    1.0,
                    0.01,
                    "Of palette and reference: 0 is the picture as it is, bit for bit.",
                ),
                number(
                    "lightness",
                    0.0,
                    0.0,
                    1.0,
                    0.01,
                    "Of a palette: 0 takes its hues alone, 1 its light and dark too. Edits of swatches are "
                    "taken as they are written.",
                ),
                io.Int.Input("colors", default=6, min=1, max=32, tooltip="How many of the picture's colors are named."),
                number(
                    "start_percent",
                    0.45,
                    0.0,
                    1.0,
                    0.01,
                    "On a model, begins here; 0 is the first step. Later keeps the drawing closer.",
                ),
                number(
                    "end_percent",
                    1.0,
                    0.0,
                    1.0,
                    0.01,
                    "On a model, ends here; 1 is the last step.",
                ),
                number(
                    "focus",
                    0.4,
                    0.0,
                    0.99,
                    0.01,
                    "Of words without a mask: how sure to be of the place; 0 changes the whole picture.",
                ),
            ],
            outputs=[
                io.Model.Output(display_name="model", tooltip="The model, with its colors guided."),
                io.Image.Output(display_name="image", tooltip="The picture, recolored."),
                io.String.Output(
                    display_name="colors", tooltip="Hex codes and shares of the picture as it came, for another node."
                ),
            ],
            search_aliases=["color match", "color transfer", "hue", "SEGA"],
        )

    @classmethod
    def execute(
        cls,
        words: str,
        words_strength: float,
        palette: str,
        method: str,
        strength: float,
        lightness: float,
        colors: int,
        start_percent: float,
        end_percent: float,
        focus: float,
        model: Any = None,
        image: Any = None,
        reference: Any = None,
        mask: Any = None,
        clip: Any = None,
        vae: Any = None,
    ) -> io.NodeOutput:
        from ..swf_core.color.palette_text import read_palette
        from .host.color import ColorEditOptions, guided_model, recolored

        if model is None and image is None:
            raise UserError("Nothing to recolor is connected: connect 'model', 'image', or both.")
        if reference is not None and palette.strip():
            raise UserError("Both a reference and a palette are given; disconnect 'reference' or empty 'palette'.")
        edit = ColorEditOptions(
            words,
            words_strength,
            focus,
            read_palette(palette) if palette.strip() else None,
            reference,
            method,
            strength,
            lightness,
            mask,
        )
        if model is None and words.strip():
            raise UserError("'words' change colors while a model samples: connect 'model', or empty 'words'.")
        out, codes, rows = ExecutionBlocker("Color Edit made no image: connect its 'image' input."), "", []
        if image is not None:
            out, codes, rows = recolored(image, edit, colors)
        patched = ExecutionBlocker("Color Edit made no model: connect its 'model' input.")
        if model is not None:
            patched = guided_model(model, clip, vae, edit, start_percent, end_percent)
        return io.NodeOutput(patched, out, codes, ui={"swf_panel": rows} if rows else None)
