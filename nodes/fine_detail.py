"""SWF_FineDetail: what the VAE loses of the content, put back into a result."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from ..swf_core.presets import FINE_DETAIL
from .host.schema import number, schema


class FineDetail(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return schema(
            "SWF_FineDetail",
            "Fine Detail (from the content)",
            "Puts back into a repainted picture what the VAE cannot hold of its content, such as twigs, bricks and "
            "letters, in the colors of the result. For after VAE Decode; nothing is sampled.",
            inputs=[
                io.Image.Input("image", tooltip="The result, as VAE Decode makes it."),
                io.Image.Input(
                    "content",
                    tooltip="The picture that was repainted, one for all results or one each; brought to their size.",
                ),
                io.Vae.Input("vae", tooltip="The VAE that the result came out of."),
                number(
                    "amount",
                    FINE_DETAIL,
                    0.0,
                    1.0,
                    0.01,
                    "0 is the result as it is, bit for bit; 1 is all the detail. Less leaves more to the "
                    "model's own brush.",
                ),
            ],
            outputs=[io.Image.Output(display_name="image", tooltip="The result with its fine detail.")],
            search_aliases=["restore detail", "sharpen", "keep text", "keep faces"],
        )

    @classmethod
    def execute(cls, image: Any, content: Any, vae: Any, amount: float) -> io.NodeOutput:
        from .host.fine_detail import detailed

        return io.NodeOutput(detailed(image, content, vae, amount))
