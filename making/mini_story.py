"""What every graph on the embedded model begins with.

Pictures come from the model itself, so that a graph runs on a fresh machine with no file and no download.
"""

from __future__ import annotations

from making.graph import Graph, Link
from making.story import Story

HOUSE, WINDOW = "a photo of a red house on the grass at noon", "stained glass of a blue boat on the grass at noon"


class MiniStory(Story):
    """What every graph on mini begins with: the model, an empty prompt, and two pictures sampled from words."""

    def __init__(self, graph: Graph, content: str, style: str):
        loader = graph.add("SWF_MiniLoader", 0, 0)
        patch = {"layers": "all", "gamma": 0.5, "tau": 1.5}
        super().__init__(graph, loader, 160, patch, triple={"query_preservation": 0.5})
        self.content = self.picture(content, 430, 11, "Content")
        self.style = self.picture(style, 900, 4, "Style")

    def picture(self, words: str, row: int, seed: int, title: str) -> Link:
        """The latent of a sampled picture, which is shown too."""
        prompt = self.text(words, 0, row, f"{title}: words")
        blank = self.graph.add("EmptyLatentImage", 0, row + 240, width=128, height=128)
        sampled = self.sample(
            1,
            row,
            f"{title}: sample it",
            model=self.model,
            positive=(prompt, 0),
            latent_image=(blank, 0),
            seed=seed,
            steps=25,
            cfg=4.0,
        )
        self.show(sampled, 2, row, title)
        return sampled

    def show(self, latent: Link, column: int, row: int, title: str) -> None:
        """A preview of a latent."""
        image = self.decoded(latent, column, row)
        self.graph.add("PreviewImage", column, row + 100, title, images=image)
