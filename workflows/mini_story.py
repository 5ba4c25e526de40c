"""What every graph on the embedded model begins with.

Pictures come from the model itself, so that a graph runs on a fresh machine with no file and no download.
"""

from __future__ import annotations

from typing import Any

from graph import Graph, Link

HOUSE, WINDOW = "a photo of a red house on the grass at noon", "stained glass of a blue boat on the grass at noon"


class MiniStory:
    """What every graph on mini begins with: the model, an empty prompt, and two pictures sampled from words."""

    def __init__(self, graph: Graph, content: str, style: str):
        self.graph = graph
        self.mini = graph.add("SWF_MiniLoader", 0, 0)
        self.model, self.clip, self.vae = ((self.mini, i) for i in range(3))
        self.empty = (self.text("", 0, 160, "Empty prompt"), 0)
        self.content = self.picture(content, 430, 11, "Content")
        self.style = self.picture(style, 900, 4, "Style")

    def text(self, words: str, column: int, row: int, title: str) -> int:
        """An encoded prompt."""
        return self.graph.add("CLIPTextEncode", column, row, title, clip=self.clip, text=words)

    def picture(self, words: str, row: int, seed: int, title: str) -> Link:
        """The latent of a sampled picture, which is shown too."""
        prompt = self.text(words, 0, row, f"{title}: words")
        blank = self.graph.add("EmptyLatentImage", 0, row + 240, width=128, height=128)
        sampled = self.graph.add(
            "KSampler",
            1,
            row,
            f"{title}: sample it",
            model=self.model,
            positive=(prompt, 0),
            negative=self.empty,
            latent_image=(blank, 0),
            seed=seed,
            steps=25,
            cfg=4.0,
            sampler_name="euler",
            scheduler="normal",
        )
        self.show((sampled, 0), 2, row, title)
        return sampled, 0

    def decoded(self, latent: Link, column: int, row: int) -> Link:
        """A latent as an IMAGE."""
        return self.graph.add("VAEDecode", column, row, samples=latent, vae=self.vae), 0

    def patched(self, column: int, row: int, title: str = "", **inputs: Any) -> Link:
        """The model with the style on it, set as suits the embedded model; `inputs` add to that."""
        defaults = {"style": self.style, "content": self.content, "layers": "all", "gamma": 0.5, "tau": 1.5}
        inputs = defaults | {"model": self.model, "reference_text": self.empty} | inputs
        inputs = {name: value for name, value in inputs.items() if value is not None}
        return self.graph.add("SWF_QueryPreservePatch", column, row, title, **inputs), 0

    def show(self, latent: Link, column: int, row: int, title: str) -> None:
        """A preview of a latent."""
        image = self.decoded(latent, column, row)
        self.graph.add("PreviewImage", column, row + 100, title, images=image)

    def save(self, latent: Link, column: int, row: int, name: str) -> None:
        """A result, kept in the output folder."""
        image = self.decoded(latent, column, row)
        self.graph.add("SaveImage", column, row + 100, "Result", images=image, filename_prefix=f"StyleWallfacer/{name}")

    def repaint(self, column: int, row: int, title: str = "", **inputs: Any) -> Link:
        """The common case in one node; `inputs` add to what suits the embedded model."""
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
            "query_preservation": 0.5,
        }
        return self.graph.add("SWF_TripleSampler", column, row, title, **(defaults | inputs)), 0
