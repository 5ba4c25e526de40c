"""What every graph on Stable Diffusion 1.5 begins with: files that a user has to have; links to them are in a note."""

from __future__ import annotations

from typing import Any

from graph import Graph, Link

CHECKPOINT = "v1-5-pruned-emaonly-fp16.safetensors"
CHECKPOINT_URL = "https://huggingface.co/Comfy-Org/stable-diffusion-v1-5-archive/resolve/main/" + CHECKPOINT


class CheckpointStory:
    """What every graph on SD1.5 begins with: the checkpoint, an empty prompt, and two pictures from files."""

    def __init__(self, graph: Graph):
        self.graph = graph
        loader = graph.add("CheckpointLoaderSimple", 0, 0, ckpt_name=CHECKPOINT)
        graph.needs(loader, CHECKPOINT, CHECKPOINT_URL, "checkpoints")
        self.model, self.clip, self.vae = ((loader, i) for i in range(3))
        self.empty = (self.text("", 0, 200, "Empty prompt"), 0)
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

    def text(self, words: str, column: int, row: int, title: str) -> int:
        """An encoded prompt."""
        return self.graph.add("CLIPTextEncode", column, row, title, clip=self.clip, text=words)

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

    def patched(self, column: int, row: int, title: str = "", **inputs: Any) -> Link:
        """The model with the style on it, as the preset has it for SD."""
        defaults = {
            "style": self.style,
            "content": self.content,
            "layers": "late",
            "gamma": 0.75,
            "gamma_end": 0.375,
            "gamma_schedule": "cosine",
            "tau": 1.5,
        }
        inputs = defaults | {"model": self.model, "reference_text": self.empty} | inputs
        inputs = {name: value for name, value in inputs.items() if value is not None}
        return self.graph.add("SWF_QueryPreservePatch", column, row, title, **inputs), 0

    def save(self, latent: Link, column: int, row: int, name: str) -> None:
        """A result, kept in the output folder."""
        image = self.graph.add("VAEDecode", column, row, samples=latent, vae=self.vae)
        self.graph.add(
            "SaveImage", column, row + 100, "Result", images=(image, 0), filename_prefix=f"StyleWallfacer/{name}"
        )

    def repaint(self, column: int, row: int, title: str = "", **inputs: Any) -> Link:
        """The common case in one node."""
        defaults = {
            "model": self.model,
            "positive": self.empty,
            "negative": self.empty,
            "content": self.content,
            "style": self.style,
            "seed": 1,
            "steps": 30,
            "cfg": 1.0,
            "sampler_name": "euler",
            "scheduler": "normal",
        }
        return self.graph.add("SWF_TripleSampler", column, row, title, **(defaults | inputs)), 0
