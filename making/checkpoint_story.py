"""What every graph on Stable Diffusion 1.5 begins with: files that a user has to have; links to them are in a note."""

from __future__ import annotations

from making.graph import Graph, Link
from making.story import Story

CHECKPOINT = "v1-5-pruned-emaonly-fp16.safetensors"
CHECKPOINT_URL = "https://huggingface.co/Comfy-Org/stable-diffusion-v1-5-archive/resolve/main/" + CHECKPOINT


class CheckpointStory(Story):
    """What every graph on SD1.5 begins with: the checkpoint, an empty prompt, and two pictures from files."""

    def __init__(self, graph: Graph):
        loader = graph.add("CheckpointLoaderSimple", 0, 0, ckpt_name=CHECKPOINT)
        graph.needs(loader, CHECKPOINT, CHECKPOINT_URL, "checkpoints")
        patch = {"layers": "late", "gamma": 0.75, "gamma_end": 0.375, "gamma_schedule": "cosine", "tau": 1.5}
        super().__init__(graph, loader, 200, patch, triple={})
        self.content_picture, self.content = self.picture(480, "Content")
        self.style_picture, self.style = self.picture(960, "Style")
        graph.note(
            "## Models\n"
            f"[{CHECKPOINT}]({CHECKPOINT_URL}) goes into models/checkpoints; any other SD1.x, SD2.x or SDXL checkpoint "
            "may take its place. Choose your own pictures in *Content* and *Style*.",
            0,
            1440,
            (320, 200),
        )

    def picture(self, row: int, title: str) -> tuple[Link, Link]:
        """A picture file at the model's native size (as many pixels as 512 x 512, its own aspect), and its latent."""
        loaded = self.graph.add("LoadImage", 0, row, title, image="example.png")
        scaled = self.graph.add(
            "ImageScaleToTotalPixels",
            1,
            row,
            f"{title}: native size",
            image=(loaded, 0),
            upscale_method="lanczos",
            megapixels=0.25,
        )
        encoded = self.graph.add("VAEEncode", 1, row + 160, pixels=(scaled, 0), vae=self.vae)
        return (scaled, 0), (encoded, 0)
