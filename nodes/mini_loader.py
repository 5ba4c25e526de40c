"""SWF_MiniLoader: the embedded model, as MODEL, CLIP and VAE."""

from __future__ import annotations

from comfy_api.latest import io

from .host.schema import schema


class MiniLoader(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return schema(
            "SWF_MiniLoader",
            "Mini Loader (StyleWallfacer)",
            "The small text-to-image model that comes with this pack: no download, runs on any machine. It paints "
            "houses, boats, cats and such in 16 styles at 128 x 128 pixels, and every stock node works on it.",
            inputs=[],
            outputs=[
                io.Model.Output(display_name="model", tooltip="The diffusion model (v-prediction, native size 128)."),
                io.Clip.Output(display_name="clip", tooltip="Its text encoder; it knows the words of its small world."),
                io.Vae.Output(display_name="vae", tooltip="Its autoencoder, 8 pixels to a latent cell."),
            ],
            search_aliases=["embedded model", "demo model"],
        )

    @classmethod
    def execute(cls) -> io.NodeOutput:
        from .host import native_mini

        return io.NodeOutput(native_mini.load_model(), native_mini.load_clip(), native_mini.load_vae())
