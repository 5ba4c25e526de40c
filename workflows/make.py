"""Make the shipped graphs anew from their stories below: python workflows/make.py http://127.0.0.1:8188

Slots, widgets and defaults come from a running ComfyUI, so that a graph always fits the nodes. Pictures come from the
embedded model itself, so that a graph runs on a fresh machine with no file and no download.
"""

from __future__ import annotations

import json
import sys
import urllib.request
from pathlib import Path
from typing import Any

WIDGETS = {"INT", "FLOAT", "STRING", "BOOLEAN", "COMBO"}
Link = tuple[int, int]


def widgets_of(info: dict[str, Any]) -> list[tuple[str, Any]]:
    """Names and defaults of a node's widgets in the order in which a graph's file holds their values.

    The front end adds one after a seed ("control_after_generate") and one after an upload, under no name of the node.
    """
    found: list[tuple[str, Any]] = []
    for group in ("required", "optional"):
        for name, (kind, *rest) in info["input"].get(group, {}).items():
            spec = rest[0] if rest else {}
            options = kind if isinstance(kind, list) else spec.get("options") if kind == "COMBO" else None
            if (options is None and kind not in WIDGETS) or spec.get("forceInput"):
                continue
            empty = "" if options is not None else {"STRING": "", "BOOLEAN": False}.get(kind, 0)
            default = spec.get("default", options[0] if options else empty)
            found.append((name, default))
            if spec.get("control_after_generate", kind == "INT" and name in ("seed", "noise_seed")):
                found.append(("control_after_generate", "fixed"))
            if spec.get("image_upload"):
                found.append(("upload", "image"))
    return found


def sockets_of(info: dict[str, Any]) -> list[tuple[str, str]]:
    """Names and types of a node's inputs that are no widgets."""
    widgets = {name for name, _ in widgets_of(info)}
    both = [*info["input"].get("required", {}).items(), *info["input"].get("optional", {}).items()]
    return [(name, spec[0]) for name, spec in both if name not in widgets]


class Graph:
    """A graph that is being written: `add` returns the node's number, and (number, slot) is one of its outputs."""

    def __init__(self, nodes: dict[str, Any]):
        self.known, self.nodes, self.links, self.groups = nodes, [], [], []

    def add(self, kind: str, column: int, row: int, title: str = "", **given: Any) -> int:
        """Place a node; `given` holds widget values, and links as (node, slot)."""
        number = len(self.nodes) + 1
        info = self.known[kind]
        defaults, sockets = widgets_of(info), sockets_of(info)
        unknown = given.keys() - {n for n, _ in defaults} - {n for n, _ in sockets}
        assert not unknown, f"{kind} has no {unknown}"
        inputs = []
        for slot, (name, kind_of) in enumerate(sockets):
            link = None
            if name in given:
                link = len(self.links) + 1
                source, output = given[name]
                self.links.append([link, source, output, number, slot, self.known_type(source, output)])
                self.nodes[source - 1]["outputs"][output]["links"].append(link)
            inputs.append({"name": name, "type": kind_of, "link": link})
        outputs = [
            {"name": name, "type": type_, "links": [], "slot_index": i}
            for i, (name, type_) in enumerate(zip(info["output_name"], info["output"]))
        ]
        high = 10 + 20 * max(len(inputs), len(outputs)) + 24 * len(defaults)  # as the page lays nodes out
        high += {"CLIPTextEncode": 100, "SaveImage": 200, "PreviewImage": 200, "LoadImage": 200}.get(kind, 0)
        node = {
            "id": number, "type": kind, "pos": [40 + 380 * column, 60 + row], "size": [320, high], "flags": {},
            "order": number - 1, "mode": 0, "inputs": inputs, "outputs": outputs,
            "properties": {"Node name for S&R": kind}, "widgets_values": [given.get(n, d) for n, d in defaults],
        }  # fmt: skip
        self.nodes.append(node | ({"title": title} if title else {}))
        return number

    def note(self, text: str, column: int, row: int, size: tuple[int, int] = (320, 160)) -> None:
        """Words for whoever opens the graph."""
        self.nodes.append({
            "id": len(self.nodes) + 1, "type": "MarkdownNote", "pos": [40 + 380 * column, 60 + row],
            "size": list(size), "flags": {}, "order": len(self.nodes), "mode": 0, "inputs": [], "outputs": [],
            "properties": {}, "widgets_values": [text], "color": "#432", "bgcolor": "#653",
        })  # fmt: skip

    def needs(self, node: int, name: str, url: str, directory: str) -> None:
        """Say which file a node needs: the page offers to fetch it when it is missing."""
        self.nodes[node - 1]["properties"]["models"] = [{"name": name, "url": url, "directory": directory}]

    def known_type(self, node: int, slot: int) -> str:
        """The type of a node's output."""
        return self.nodes[node - 1]["outputs"][slot]["type"]

    def file(self) -> str:
        """The graph as ComfyUI's page saves it."""
        return json.dumps({
            "id": "00000000-0000-4000-8000-000000000000", "revision": 0, "last_node_id": len(self.nodes),
            "last_link_id": len(self.links), "nodes": self.nodes, "links": self.links, "groups": self.groups,
            "config": {}, "extra": {}, "version": 0.4,
        }, indent=1) + "\n"  # fmt: skip


class Start:
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
            "KSampler", 1, row, f"{title}: sample it", model=self.model, positive=(prompt, 0), negative=self.empty,
            latent_image=(blank, 0), seed=seed, steps=25, cfg=4.0, sampler_name="euler", scheduler="normal",
        )  # fmt: skip
        self.show((sampled, 0), 2, row, title)
        return sampled, 0

    def decoded(self, latent: Link, column: int, row: int) -> Link:
        """A latent as an IMAGE."""
        return self.graph.add("VAEDecode", column, row, samples=latent, vae=self.vae), 0

    def patched(self, column: int, row: int, title: str = "", **given: Any) -> Link:
        """The model with the style on it, set as suits the embedded model; `given` adds to that."""
        usual = {"style": self.style, "content": self.content, "layers": "all", "gamma": 0.5, "tau": 1.5}
        inputs = usual | {"model": self.model, "reference_text": self.empty} | given
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


HOUSE, WINDOW = "a photo of a red house on the grass at noon", "stained glass of a blue boat on the grass at noon"


def style_transfer(graph: Graph) -> None:
    """The common case in one node."""
    s = Start(graph, HOUSE, WINDOW)
    done = graph.add(
        "SWF_TripleSampler", 3, 0, model=s.model, positive=s.empty, negative=s.empty, content=s.content, style=s.style,
        seed=1, steps=30, cfg=1.0, sampler_name="euler", scheduler="normal", query_preservation=0.5,
    )  # fmt: skip
    s.save((done, 0), 4, 0, "style transfer")
    graph.note(
        "## Style transfer\nPress **Run**. Content and style are sampled from words by the embedded model; put *Load "
        "Image* and *VAE Encode* in their place for pictures of your own. Lower **query_preservation** for more style.",
        3, 620,
    )  # fmt: skip


def patch(graph: Graph) -> None:
    """The patch under a stock KSampler."""
    s = Start(graph, HOUSE, WINDOW)
    patched = s.patched(3, 0)
    done = graph.add(
        "KSampler", 4, 0, model=patched, positive=s.empty, negative=s.empty, latent_image=s.content, seed=3,
        steps=30, cfg=1.0, sampler_name="dpmpp_2m", scheduler="normal", denoise=0.8,
    )  # fmt: skip
    s.save((done, 0), 5, 0, "patch")
    graph.note(
        "## The patch\nThe **Query-Preserve Attention Patch** changes a MODEL, so any sampler, ControlNet, LoRA or "
        "mask works after it. Here a plain KSampler repaints the content at denoise 0.8.",
        4, 520,
    )  # fmt: skip


def inversion(graph: Graph) -> None:
    """A stock sampler that begins from the inverted content."""
    s = Start(graph, HOUSE, WINDOW)
    way = graph.add(
        "SWF_Trajectory", 3, 0, "Content, inverted", model=s.model, text=s.empty, picture=s.content, steps=30,
        scheduler="normal",
    )  # fmt: skip
    patched = s.patched(3, 480, content=(way, 0))
    done = graph.add(
        "KSamplerAdvanced", 4, 0, model=patched, positive=s.empty, negative=s.empty, latent_image=(way, 1),
        add_noise="disable", noise_seed=0, steps=30, cfg=1.0, sampler_name="euler", scheduler="normal",
    )  # fmt: skip
    s.save((done, 0), 5, 0, "start from inversion")
    graph.note(
        "## Start from inversion\n**Trajectory** finds the noise that leads to the content. A sampler that adds no "
        "noise starts from it, so the drawing stays. Bypass the patch and the content itself comes back.",
        4, 520,
    )  # fmt: skip


def words(graph: Graph) -> None:
    """No content picture: words say what, a picture says how."""
    s = Start(graph, "a photo of a green tree in the snow at sunset", "a woodcut of a red boat by the sea at sunset")
    wanted = s.text("a woodcut of a yellow lighthouse by the sea at sunset", 3, 0, "What to show")
    patched = s.patched(3, 260, content=None, gamma=0.0, tau=1.5, strength=0.7)
    blank = graph.add("EmptyLatentImage", 4, 420, width=128, height=128, batch_size=4)
    done = graph.add(
        "KSampler", 4, 0, model=patched, positive=(wanted, 0), negative=s.empty, latent_image=(blank, 0), seed=5,
        steps=25, cfg=4.0, sampler_name="euler", scheduler="normal",
    )  # fmt: skip
    s.save((done, 0), 5, 0, "words")
    graph.note(
        "## Text-driven stylization\nThe words say what is shown, the style picture how. **gamma 0** asks no content; "
        "lower **strength** when the words are not followed.",
        4, 640,
    )  # fmt: skip


def several_styles(graph: Graph) -> None:
    """Two styles, each in its half."""
    s = Start(graph, HOUSE, WINDOW)
    other = s.picture("a woodcut of a white cat on the grass at noon", 1370, 9, "Second style")
    left = graph.add("SolidMask", 3, 0, "Black", value=0.0, width=128, height=128)
    half = graph.add("SolidMask", 3, 140, "White half", value=1.0, width=64, height=128)
    mask = graph.add(
        "MaskComposite", 3, 280, "Left half", destination=(left, 0), source=(half, 0), x=0, y=0, operation="add"
    )
    inverse = graph.add("InvertMask", 3, 460, "Right half", mask=(mask, 0))
    first = graph.add("SWF_StyleMix", 4, 0, "Glass, left", style=s.style, place=(mask, 0))
    both = graph.add("SWF_StyleMix", 4, 260, "Woodcut, right", style=other, place=(inverse, 0), before=(first, 0))
    done = graph.add(
        "SWF_TripleSampler", 5, 0, model=s.model, positive=s.empty, negative=s.empty, content=s.content,
        style=(both, 0), seed=1, steps=30, cfg=1.0, sampler_name="euler", scheduler="normal", query_preservation=0.5,
    )  # fmt: skip
    s.save((done, 0), 6, 0, "several styles")
    graph.note(
        "## Several styles with masks\nEach **Style Mix** adds a style with its weight and its **place**; all share "
        "one sampling. Leave the masks off for a mixture everywhere.",
        6, 560,
    )  # fmt: skip


def share(graph: Graph) -> None:
    """Save a style to share; Style Load brings it back."""
    s = Start(graph, HOUSE, WINDOW)
    patched = s.patched(3, 0)
    picture = s.decoded(s.style, 4, 0)
    kept = graph.add(
        "SWF_StyleSave", 4, 100, picture=picture, model=patched, name="stained glass example",
        caption=WINDOW, stripped_caption="a blue boat on the grass at noon",
    )  # fmt: skip
    done = graph.add(
        "SWF_TripleSampler", 5, 0, model=s.model, positive=s.empty, negative=s.empty, content=s.content,
        style=(kept, 0), vae=s.vae, seed=1, steps=30, cfg=1.0, sampler_name="euler", scheduler="normal",
        query_preservation=0.5,
    )  # fmt: skip
    s.save((done, 0), 6, 0, "shared style")
    graph.note(
        "## Save and load a style\n**Style Save** writes one file with picture, captions and settings to "
        "output/swf_styles. Send it to a friend, who puts it there or in models/swf_styles and takes **Style Load** in "
        "the place of Style Save.",
        4, 760,
    )  # fmt: skip


# The twins on Stable Diffusion 1.5: the same stories with files that a user has to have.
CHECKPOINT = "v1-5-pruned-emaonly-fp16.safetensors"
CHECKPOINT_URL = "https://huggingface.co/Comfy-Org/stable-diffusion-v1-5-archive/resolve/main/" + CHECKPOINT
CANNY = "control_v11p_sd15_canny_fp16.safetensors"
CANNY_URL = "https://huggingface.co/comfyanonymous/ControlNet-v1-1_fp16_safetensors/resolve/main/" + CANNY


class Large:
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
            0, 1440, (320, 200),
        )  # fmt: skip

    def text(self, words: str, column: int, row: int, title: str) -> int:
        """An encoded prompt."""
        return self.graph.add("CLIPTextEncode", column, row, title, clip=self.clip, text=words)

    def picture(self, row: int, title: str) -> tuple[Link, Link]:
        """A picture file at the model's native size (as many pixels as 512 x 512, its own aspect), and its latent."""
        loaded = self.graph.add("LoadImage", 0, row, title, image="example.png")
        scaled = self.graph.add(
            "ImageScaleToTotalPixels", 1, row, f"{title}: native size", image=(loaded, 0), upscale_method="lanczos",
            megapixels=0.25,
        )  # fmt: skip
        encoded = self.graph.add("VAEEncode", 1, row + 160, pixels=(scaled, 0), vae=self.vae)
        return (scaled, 0), (encoded, 0)

    def patched(self, column: int, row: int, title: str = "", **given: Any) -> Link:
        """The model with the style on it, as the preset has it for SD."""
        usual = {
            "style": self.style, "content": self.content, "layers": "late", "gamma": 0.75, "gamma_end": 0.375,
            "gamma_schedule": "cosine", "tau": 1.5,
        }  # fmt: skip
        inputs = usual | {"model": self.model, "reference_text": self.empty} | given
        inputs = {name: value for name, value in inputs.items() if value is not None}
        return self.graph.add("SWF_QueryPreservePatch", column, row, title, **inputs), 0

    def save(self, latent: Link, column: int, row: int, name: str) -> None:
        """A result, kept in the output folder."""
        image = self.graph.add("VAEDecode", column, row, samples=latent, vae=self.vae)
        self.graph.add(
            "SaveImage", column, row + 100, "Result", images=(image, 0), filename_prefix=f"StyleWallfacer/{name}"
        )

    def repaint(self, column: int, row: int, **given: Any) -> Link:
        """The common case in one node."""
        usual = {
            "model": self.model, "positive": self.empty, "negative": self.empty, "content": self.content,
            "style": self.style, "seed": 1, "steps": 30, "cfg": 1.0, "sampler_name": "euler", "scheduler": "normal",
        }  # fmt: skip
        return self.graph.add("SWF_TripleSampler", column, row, **(usual | given)), 0


def sd_style_transfer(graph: Graph) -> None:
    """The common case in one node, on SD1.5."""
    s = Large(graph)
    s.save(s.repaint(2, 0), 3, 0, "style transfer SD")


def sd_patch_with_controlnet(graph: Graph) -> None:
    """The patch under a stock KSampler with a ControlNet, on SD1.5."""
    s = Large(graph)
    edges = graph.add("Canny", 2, 640, image=s.content_picture, low_threshold=0.3, high_threshold=0.6)
    net = graph.add("ControlNetLoader", 2, 480, control_net_name=CANNY)
    graph.needs(net, CANNY, CANNY_URL, "controlnet")
    wanted = s.text("", 2, 200, "What to show (may stay empty)")
    held = graph.add(
        "ControlNetApplyAdvanced", 3, 480, positive=(wanted, 0), negative=s.empty, control_net=(net, 0),
        image=(edges, 0), strength=0.7, start_percent=0.0, end_percent=0.8,
    )  # fmt: skip
    patched = s.patched(3, 760)
    done = graph.add(
        "KSampler", 4, 0, model=patched, positive=(held, 0), negative=(held, 1), latent_image=s.content, seed=3,
        steps=30, cfg=3.0, sampler_name="dpmpp_2m", scheduler="karras", denoise=0.8,
    )  # fmt: skip
    s.save((done, 0), 5, 0, "patch SD")
    graph.note(
        f"## The patch and a ControlNet\n[{CANNY}]({CANNY_URL}) goes into models/controlnet. Edges of the content hold "
        "the drawing, so gamma may be low; the style pictures themselves never see the ControlNet.",
        4, 520,
    )  # fmt: skip


def sd_inversion(graph: Graph) -> None:
    """A stock sampler that begins from the inverted content, on SD1.5."""
    s = Large(graph)
    way = graph.add(
        "SWF_Trajectory", 2, 0, "Content, inverted", model=s.model, text=s.empty, picture=s.content, steps=30,
        scheduler="normal", refinements=1,
    )  # fmt: skip
    patched = s.patched(2, 520, content=(way, 0))
    done = graph.add(
        "KSamplerAdvanced", 3, 0, model=patched, positive=s.empty, negative=s.empty, latent_image=(way, 1),
        add_noise="disable", noise_seed=0, steps=30, cfg=1.0, sampler_name="euler", scheduler="normal",
    )  # fmt: skip
    s.save((done, 0), 4, 0, "start from inversion SD")


def sd_words(graph: Graph) -> None:
    """No content picture: words say what, a picture says how, on SD1.5."""
    s = Large(graph)
    wanted = s.text("a lighthouse on a cliff at sunset, painting", 2, 0, "What to show")
    patched = s.patched(2, 260, content=None, gamma=0.0, gamma_end=0.0, gamma_schedule="constant", strength=0.8)
    blank = graph.add("EmptyLatentImage", 3, 420, width=512, height=512, batch_size=4)
    done = graph.add(
        "KSampler", 3, 0, model=patched, positive=(wanted, 0), negative=s.empty, latent_image=(blank, 0), seed=5,
        steps=25, cfg=7.0, sampler_name="dpmpp_2m", scheduler="karras",
    )  # fmt: skip
    s.save((done, 0), 4, 0, "words SD")


def sd_several_styles(graph: Graph) -> None:
    """Two styles, each in its half, on SD1.5."""
    s = Large(graph)
    _, other = s.picture(1700, "Second style")
    left = graph.add("SolidMask", 2, 0, "Black", value=0.0, width=512, height=512)
    half = graph.add("SolidMask", 2, 140, "White half", value=1.0, width=256, height=512)
    mask = graph.add(
        "MaskComposite", 2, 280, "Left half", destination=(left, 0), source=(half, 0), x=0, y=0, operation="add"
    )
    inverse = graph.add("InvertMask", 2, 460, "Right half", mask=(mask, 0))
    first = graph.add("SWF_StyleMix", 3, 0, "Left", style=s.style, place=(mask, 0))
    both = graph.add("SWF_StyleMix", 3, 260, "Right", style=other, place=(inverse, 0), before=(first, 0))
    s.save(s.repaint(4, 0, style=(both, 0)), 5, 0, "several styles SD")


def sd_share(graph: Graph) -> None:
    """Save a style to share, on SD1.5."""
    s = Large(graph)
    patched = s.patched(2, 0)
    kept = graph.add(
        "SWF_StyleSave", 3, 0, picture=s.style_picture, model=patched, name="my style", caption="", stripped_caption=""
    )
    s.save(s.repaint(4, 0, style=(kept, 0), vae=s.vae), 5, 0, "shared style SD")


STORIES = {
    "mini style transfer": style_transfer,
    "mini patch with KSampler": patch,
    "mini start from inversion": inversion,
    "mini text-driven": words,
    "mini several styles with masks": several_styles,
    "mini save a style": share,
    "SD1.5 style transfer": sd_style_transfer,
    "SD1.5 patch with KSampler and ControlNet": sd_patch_with_controlnet,
    "SD1.5 start from inversion": sd_inversion,
    "SD1.5 text-driven": sd_words,
    "SD1.5 several styles with masks": sd_several_styles,
    "SD1.5 save a style": sd_share,
}


def main(url: str) -> None:
    """Write every story's graph beside this file."""
    with urllib.request.urlopen(f"{url}/object_info", timeout=60) as answer:
        nodes = json.load(answer)
    for name, story in STORIES.items():
        graph = Graph(nodes)
        story(graph)
        Path(__file__).with_name(f"{name}.json").write_text(graph.file(), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1].rstrip("/"))
