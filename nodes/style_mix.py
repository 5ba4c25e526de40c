"""SWF_StyleMix: several styles, each with a weight and a place of its own, for one transfer."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from .host.schema import schema
from .host.transfer.sources import ONE_STYLE_TYPES, MixedStyle, MixType


class StyleMix(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return schema(
            "SWF_StyleMix",
            "Style Mix (several styles)",
            "Adds a style to a mix, with a weight and, if wanted, a place in the result. Chain one for each style and "
            "connect the last to the style input of a transfer.",
            inputs=[
                io.MultiType.Input(
                    "style",
                    ONE_STYLE_TYPES,
                    tooltip="A style picture: a LATENT, an IMAGE or a style file (connect vae), or a trajectory. A "
                    "batch shares the weight.",
                ),
                io.Float.Input(
                    "weight",
                    default=1.0,
                    min=0.0,
                    max=10.0,
                    step=0.05,
                    tooltip="Against the other styles of the mix; 0 leaves this one out.",
                ),
                MixType.Input("before", optional=True, tooltip="The mix so far; nothing connected begins one."),
                io.Vae.Input("vae", optional=True, tooltip="Encodes pictures; the transfer's own is taken without it."),
                io.Mask.Input(
                    "place",
                    optional=True,
                    tooltip="Where in the result this style goes, at any size; without it, everywhere. Where no style "
                    "of the mix goes, the picture stays plain.",
                ),
                io.Mask.Input(
                    "readable", optional=True, tooltip="Which part of the style picture is read; without it, all."
                ),
            ],
            outputs=[MixType.Output(display_name="mix", tooltip="For another Style Mix, or for a transfer's style.")],
            search_aliases=["several styles", "blend styles", "regional style", "style mask"],
        )

    @classmethod
    def execute(
        cls, style: Any, weight: float, before: Any = None, vae: Any = None, place: Any = None, readable: Any = None
    ) -> io.NodeOutput:
        return io.NodeOutput((*(before or ()), MixedStyle(style, vae, weight, place, readable)))
