"""What every graph begins with: pictures and a model, on the embedded model or on Stable Diffusion 1.5."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from making.dials import dials
from making.graph import Graph, Link
from making.subgraph import Subgraph
from swf_core.transfer.presets import wallfacer

HOUSE, WINDOW = "a photo of a red house on the grass at noon", "stained glass of a blue boat on the grass at noon"
CHECKPOINT = "v1-5-pruned-emaonly-fp16.safetensors"
CHECKPOINT_URL = "https://huggingface.co/Comfy-Org/stable-diffusion-v1-5-archive/resolve/main/" + CHECKPOINT


@dataclass(frozen=True)
class Picture:
    """A picture in a graph."""

    image: Link
    latent: Link | None = None


class Start:
    """The first two groups of a graph, pictures and a model, and what its story is told with."""

    family: str
    size: int  # of new latents, pixels
    steps: dict[str, Any]  # of stock samplers that begin from noise
    patch: dict[str, Any]  # what suits these models in Query-Preserve Attention Patch, beside what suits all
    triple: dict[str, Any]  # the same in Triple Diffusion Sampler

    def __init__(self, graph: Graph, pictures: str, model: str = "Model", below: bool = True):
        """`below`: the model's group stands below that of the pictures, else beside it."""
        self.graph, self._subgraphs = graph, 0
        graph.group(pictures)
        graph.group(model, below)
        loader = self._loader()
        self.model, self.clip, self.vae = (loader, 0), (loader, 1), (loader, 2)
        graph.enter(1)

    def _loader(self) -> int:
        raise NotImplementedError

    def picture(self, title: str, words: str, latent: bool = True) -> Picture:
        """A picture in a column of its own; mini paints it from words. `latent`: the story needs it as one too."""
        raise NotImplementedError

    def file(self, title: str) -> Picture:
        """A picture from a file, in a column of its own: the one that every ComfyUI has, until another is chosen."""
        self.graph.column()
        return Picture((self.graph.add("LoadImage", f"{title}: choose yours", image="example.png"), 0))

    # What the stories are told with

    def subgraph(self, name: str, **inputs: str) -> Subgraph:
        """A new subgraph of this graph, with inputs of these types."""
        self._subgraphs += 1
        return Subgraph(self.graph, name, self._subgraphs, inputs)

    def text(self, words: str, title: str) -> Link:
        """An encoded prompt."""
        return self.graph.add("CLIPTextEncode", title, clip=self.clip, text=words), 0

    def save(self, image: Link, name: str, title: str = "Result") -> None:
        """A result, kept in the output folder."""
        self.graph.add("SaveImage", title, images=image, filename_prefix=f"StyleWallfacer/{name}")

    def decode_and_save(self, latent: Link, name: str) -> None:
        """A result that is a latent yet."""
        self.save((self.graph.add("VAEDecode", samples=latent, vae=self.vae), 0), name)

    def repaint(self, content: Picture, style: Picture | Link, title: str = "", **inputs: Any) -> Link:
        """The common case in one node; `inputs` add to what suits the model."""
        given = {"model": self.model, "vae": self.vae, "clip": self.clip, "content": content.image, "seed": 1}
        given |= {"style": style.image if isinstance(style, Picture) else style} | self.triple | inputs
        return self.graph.add("SWF_TripleSampler", title, **given), 0

    def patched(self, style: Picture, content: Link | None = None, **inputs: Any) -> Link:
        """The model with the style on it; `inputs` add to what suits it."""
        given = {"model": self.model, "style": style.image, "vae": self.vae} | self.patch | inputs
        given |= {} if content is None else {"content": content}
        return self.graph.add("SWF_QueryPreservePatch", **given), 0


class MiniStart(Start):
    """On the embedded model, with pictures that it paints itself: it runs on a fresh machine, without any file."""

    family, size = "mini", 128
    steps = {"steps": 25, "cfg": 4.0, "sampler_name": "euler", "scheduler": "normal"}
    patch, triple = dials(wallfacer("mini", {}))

    def _loader(self) -> int:
        return self.graph.add("SWF_MiniLoader")

    def picture(self, title: str, words: str, latent: bool = True) -> Picture:
        self.graph.column()
        painted = self.painted(title, "", positive=self.text(words, f"{title}: words"))
        self.graph.add("PreviewImage", title, images=painted.image)
        return painted

    def painted(self, title: str, words: str = "", positive: Link | None = None) -> Picture:
        """A picture in a subgraph, from these words inside it or from an encoded prompt outside."""
        models = {"model": self.model, "clip": self.clip, "vae": self.vae}
        given = {name: name.upper() for name in models} | ({} if positive is None else {"positive": "CONDITIONING"})
        inner = self.subgraph(f"{title} from words", **given)
        prompt = (0, 0)
        if positive is None:
            prompt = (inner.add("CLIPTextEncode", "Words", clip=inner.given("clip"), text=words), 0)
        negative = inner.add("CLIPTextEncode", "Empty prompt", clip=inner.given("clip"), text="")
        blank = inner.add("EmptyLatentImage", width=self.size, height=self.size)
        inner.column()
        sampled = inner.add(
            "KSampler",
            model=inner.given("model"),
            positive=inner.given("positive") if positive else prompt,
            negative=(negative, 0),
            latent_image=(blank, 0),
            seed={"Content": 11, "Style": 4, "Second style": 9}[title],
            **self.steps,
        )
        decoded = inner.add("VAEDecode", samples=(sampled, 0), vae=inner.given("vae"))
        inner.give("image", (decoded, 0))
        inner.give("latent", (sampled, 0))
        whole = self.graph.use(inner, **models, **({"positive": positive} if positive else {}))
        return Picture((whole, 0), (whole, 1))


class CheckpointStart(Start):
    """On SD1.5, with pictures from files."""

    family, size = "SD1.5", 512
    steps = {"steps": 25, "cfg": 7.0, "sampler_name": "dpmpp_2m", "scheduler": "karras"}
    patch, triple = dials(wallfacer("SD1.x", {"late": "late"}))

    def _loader(self) -> int:
        loader = self.graph.add("CheckpointLoaderSimple", ckpt_name=CHECKPOINT)
        self.graph.needs(loader, CHECKPOINT, CHECKPOINT_URL, "checkpoints")
        return loader

    def picture(self, title: str, words: str, latent: bool = True) -> Picture:
        loaded = self.file(title)
        if not latent:
            return loaded
        # As many pixels as 512 x 512, its own aspect.
        encoding = self.subgraph(f"{title} at native size", image="IMAGE", vae="VAE")
        scaled = encoding.add(
            "ImageScaleToTotalPixels", image=encoding.given("image"), upscale_method="lanczos", megapixels=0.25
        )
        encoded = encoding.add("VAEEncode", pixels=(scaled, 0), vae=encoding.given("vae"))
        encoding.give("image", (scaled, 0))
        encoding.give("latent", (encoded, 0))
        whole = self.graph.use(encoding, image=loaded.image, vae=self.vae)
        return Picture((whole, 0), (whole, 1))


FAMILIES: dict[str, type[Start]] = {"mini": MiniStart, "SD1.5": CheckpointStart}
