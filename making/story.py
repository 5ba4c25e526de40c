"""What every story's graph is told with: prompts, results, the style on a model, and the samplers."""

from __future__ import annotations

from typing import Any

from making.graph import Graph, Link


class Story:
    """A graph that begins with a model, two pictures and an empty prompt.

    `patch`, `triple`: what suits these models in Query-Preserve Attention Patch and Triple Diffusion Sampler, beside
    what suits all. A story adds its own two pictures, as the latents `content` and `style`.
    """

    content: Link
    style: Link

    def __init__(self, graph: Graph, loader: int, row: int, patch: dict[str, Any], triple: dict[str, Any]):
        self.graph, self._patch, self._triple = graph, patch, triple
        self.model, self.clip, self.vae = ((loader, i) for i in range(3))
        self.empty = (self.text("", 0, row, "Empty prompt"), 0)

    def text(self, words: str, column: int, row: int, title: str) -> int:
        """An encoded prompt."""
        return self.graph.add("CLIPTextEncode", column, row, title, clip=self.clip, text=words)

    def decoded(self, latent: Link, column: int, row: int) -> Link:
        """A latent as an IMAGE."""
        return self.graph.add("VAEDecode", column, row, samples=latent, vae=self.vae), 0

    def save(self, latent: Link, column: int, row: int, name: str) -> None:
        """A result, kept in the output folder."""
        image = self.decoded(latent, column, row)
        self.graph.add("SaveImage", column, row + 100, "Result", images=image, filename_prefix=f"StyleWallfacer/{name}")

    def patched(self, column: int, row: int, title: str = "", **inputs: Any) -> Link:
        """The model with the style on it; `inputs` add to what suits it, None leaves one out."""
        defaults = {"model": self.model, "style": self.style, "content": self.content, "reference_text": self.empty}
        inputs = {name: value for name, value in (defaults | self._patch | inputs).items() if value is not None}
        return self.graph.add("SWF_QueryPreservePatch", column, row, title, **inputs), 0

    def repaint(self, column: int, row: int, title: str = "", **inputs: Any) -> Link:
        """The common case in one node; `inputs` add to what suits the model."""
        defaults = {"model": self.model, "content": self.content, "style": self.style, "seed": 1, "steps": 30}
        inputs = defaults | {"cfg": 1.0} | self._conditioning() | self._triple | inputs
        return self.graph.add("SWF_TripleSampler", column, row, title, **inputs), 0

    def sample(self, column: int, row: int, title: str = "", **inputs: Any) -> Link:
        """The stock sampler; `inputs` say the rest."""
        return self.graph.add("KSampler", column, row, title, **(self._conditioning() | inputs)), 0

    def sample_inverted(self, column: int, row: int, model: Link, trajectory: int) -> Link:
        """The stock sampler, from the noise that a Trajectory found."""
        inputs = {"model": model, "latent_image": (trajectory, 1), "add_noise": "disable", "noise_seed": 0}
        inputs |= {"steps": 30, "cfg": 1.0} | self._conditioning()
        return self.graph.add("KSamplerAdvanced", column, row, **inputs), 0

    def _conditioning(self) -> dict[str, Any]:
        return {"positive": self.empty, "negative": self.empty, "sampler_name": "euler", "scheduler": "normal"}
