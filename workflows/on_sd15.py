"""The same stories on Stable Diffusion 1.5, with files that a user has to have; links to them are in a note."""

from __future__ import annotations

from typing import Any

from graph import Graph, Link

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

    def patched(self, column: int, row: int, title: str = "", **given: Any) -> Link:
        """The model with the style on it, as the preset has it for SD."""
        usual = {
            "style": self.style,
            "content": self.content,
            "layers": "late",
            "gamma": 0.75,
            "gamma_end": 0.375,
            "gamma_schedule": "cosine",
            "tau": 1.5,
        }
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
        return self.graph.add("SWF_TripleSampler", column, row, **(usual | given)), 0


def style_transfer(graph: Graph) -> None:
    """The common case in one node, on SD1.5."""
    s = Large(graph)
    s.save(s.repaint(2, 0), 3, 0, "style transfer SD")


def patch_with_controlnet(graph: Graph) -> None:
    """The patch under a stock KSampler with a ControlNet, on SD1.5."""
    s = Large(graph)
    edges = graph.add("Canny", 2, 640, image=s.content_picture, low_threshold=0.3, high_threshold=0.6)
    net = graph.add("ControlNetLoader", 2, 480, control_net_name=CANNY)
    graph.needs(net, CANNY, CANNY_URL, "controlnet")
    wanted = s.text("", 2, 200, "What to show (may stay empty)")
    held = graph.add(
        "ControlNetApplyAdvanced",
        3,
        480,
        positive=(wanted, 0),
        negative=s.empty,
        control_net=(net, 0),
        image=(edges, 0),
        strength=0.7,
        start_percent=0.0,
        end_percent=0.8,
    )
    patched = s.patched(3, 760)
    done = graph.add(
        "KSampler",
        4,
        0,
        model=patched,
        positive=(held, 0),
        negative=(held, 1),
        latent_image=s.content,
        seed=3,
        steps=30,
        cfg=3.0,
        sampler_name="dpmpp_2m",
        scheduler="karras",
        denoise=0.8,
    )
    s.save((done, 0), 5, 0, "patch SD")
    graph.note(
        f"## The patch and a ControlNet\n[{CANNY}]({CANNY_URL}) goes into models/controlnet. Edges of the content hold "
        "the drawing, so gamma may be low; the style pictures themselves never see the ControlNet.",
        4,
        520,
    )


def inversion(graph: Graph) -> None:
    """A stock sampler that begins from the inverted content, on SD1.5."""
    s = Large(graph)
    way = graph.add(
        "SWF_Trajectory",
        2,
        0,
        "Content, inverted",
        model=s.model,
        text=s.empty,
        picture=s.content,
        steps=30,
        scheduler="normal",
        refinements=1,
    )
    patched = s.patched(2, 520, content=(way, 0))
    done = graph.add(
        "KSamplerAdvanced",
        3,
        0,
        model=patched,
        positive=s.empty,
        negative=s.empty,
        latent_image=(way, 1),
        add_noise="disable",
        noise_seed=0,
        steps=30,
        cfg=1.0,
        sampler_name="euler",
        scheduler="normal",
    )
    s.save((done, 0), 4, 0, "start from inversion SD")


def words(graph: Graph) -> None:
    """No content picture: words say what, a picture says how, on SD1.5."""
    s = Large(graph)
    wanted = s.text("a lighthouse on a cliff at sunset, painting", 2, 0, "What to show")
    patched = s.patched(2, 260, content=None, gamma=0.0, gamma_end=0.0, gamma_schedule="constant", strength=0.8)
    blank = graph.add("EmptyLatentImage", 3, 420, width=512, height=512, batch_size=4)
    done = graph.add(
        "KSampler",
        3,
        0,
        model=patched,
        positive=(wanted, 0),
        negative=s.empty,
        latent_image=(blank, 0),
        seed=5,
        steps=25,
        cfg=7.0,
        sampler_name="dpmpp_2m",
        scheduler="karras",
    )
    s.save((done, 0), 4, 0, "words SD")


def several_styles(graph: Graph) -> None:
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


def share(graph: Graph) -> None:
    """Save a style to share, on SD1.5."""
    s = Large(graph)
    patched = s.patched(2, 0)
    kept = graph.add(
        "SWF_StyleSave", 3, 0, picture=s.style_picture, model=patched, name="my style", caption="", stripped_caption=""
    )
    s.save(s.repaint(4, 0, style=(kept, 0), vae=s.vae), 5, 0, "shared style SD")


def caption_and_strip(graph: Graph) -> None:
    """The content's caption without its style words says what to paint, the style picture how, on SD1.5."""
    s = Large(graph)
    told = graph.add(
        "SWF_BlipCaption",
        2,
        0,
        image=s.content_picture,
        captioner="download: blip-image-captioning-base",
        clip="download: clip-vit-large-patch14",
    )
    stripped = graph.add(
        "SWF_StyleStrip",
        2,
        620,
        caption=(told, 0),
        image=s.content_picture,
        method="offline",
        llm="none",
        clip="download: clip-vit-large-patch14",
    )
    graph.add("PreviewAny", 3, 620, "What it shows", source=(stripped, 0))
    graph.add("PreviewAny", 3, 820, "Report", source=(stripped, 3))
    wanted = graph.add("CLIPTextEncode", 3, 0, "What to show", clip=s.clip, text=(stripped, 0))
    patched = s.patched(3, 1020)
    done = graph.add(
        "KSampler",
        4,
        0,
        model=patched,
        positive=(wanted, 0),
        negative=s.empty,
        latent_image=s.content,
        seed=3,
        steps=30,
        cfg=4.0,
        sampler_name="dpmpp_2m",
        scheduler="karras",
        denoise=0.8,
    )
    s.save((done, 0), 5, 0, "caption and strip SD")
    graph.note(
        "## Caption and strip\nThe first run **downloads** "
        "[BLIP base](https://huggingface.co/Salesforce/blip-image-captioning-base) (1 GB) and "
        "[CLIP](https://huggingface.co/openai/clip-vit-large-patch14) (1.7 GB); to have none of it, put their files "
        "into folders in models/blip and models/clip_whole and choose those. For *Style-Strip*, **endpoint** asks "
        "Ollama on this machine. Click a candidate or a struck piece, or write into **edited**; then run again.",
        4,
        520,
        (320, 240),
    )


def teach(graph: Graph) -> None:
    """A style learnt from one picture, with a person's picks, then used from words and on a picture, on SD1.5."""
    s = Large(graph)
    told = graph.add(
        "SWF_BlipCaption", 2, 0, image=s.style_picture, captioner="download: blip-image-captioning-base", clip="none"
    )
    stripped = graph.add("SWF_StyleStrip", 2, 620, caption=(told, 0), method="offline", llm="none", clip="none")
    data = graph.add("SWF_StyleDataset", 3, 620, image=s.style_picture, captions=(stripped, 0))
    taught = graph.add(
        "SWF_LoraTrain",
        4,
        620,
        model=s.model,
        clip=s.clip,
        vae=s.vae,
        dataset=(data, 0),
        run_name="my style",
        steps=600,
        sample_every=100,
    )
    graph.add("PreviewImage", 4, 1200, "Losses and signals", images=(taught, 4))
    chosen = graph.add("SWF_FeedbackGallery", 5, 620, "Which samples are good?", run=(taught, 5))
    more = graph.add("SWF_TrainOn", 7, 620, model=s.model, clip=s.clip, vae=s.vae, run=(chosen, 0), steps=200)
    graph.add("SWF_FeedbackGallery", 8, 620, "After the picks", run=(more, 5), mode="saved picks")
    wanted = graph.add("CLIPTextEncode", 4, 0, "What to show, no word of style", clip=s.clip, text="a fox in a forest")
    hooked = graph.add(
        "ConditioningSetProperties", 4, 220, "The LoRA for this prompt alone", cond_NEW=(wanted, 0), hooks=(more, 7)
    )
    blank = graph.add("EmptyLatentImage", 4, 420, width=512, height=512)
    done = graph.add(
        "KSampler",
        8,
        0,
        "From words",
        model=s.model,
        positive=(hooked, 0),
        negative=s.empty,
        latent_image=(blank, 0),
        seed=5,
        steps=30,
        cfg=5.0,
        sampler_name="dpmpp_2m",
        scheduler="karras",
    )
    s.save((done, 0), 9, 0, "taught, from words SD")
    repainted = graph.add(
        "SWF_TripleSampler",
        10,
        620,
        "On a picture",
        model=(more, 0),
        positive=s.empty,
        negative=s.empty,
        content=s.content,
        style=s.style,
        seed=1,
        steps=30,
        cfg=1.0,
        sampler_name="euler",
        scheduler="normal",
    )
    s.save((repainted, 0), 11, 620, "taught, on a picture SD")
    graph.note(
        "## Teach a style\nThe first run **downloads** "
        "[BLIP base](https://huggingface.co/Salesforce/blip-image-captioning-base) (1 GB), unless its files lie in a "
        "folder in models/blip. 600 steps take some minutes on a GPU; cancel whenever you like and run again to go on. "
        "**hooks** puts the LoRA on the positive prompt alone, so that guidance does not subtract the style again.\n\n"
        "The **gallery** waits for you: click the good samples, then *Train on*. They join the picture in the next "
        "round.",
        2,
        1240,
        (700, 220),
    )


STORIES = {
    "SD1.5 style transfer": style_transfer,
    "SD1.5 patch with KSampler and ControlNet": patch_with_controlnet,
    "SD1.5 start from inversion": inversion,
    "SD1.5 text-driven": words,
    "SD1.5 several styles with masks": several_styles,
    "SD1.5 save a style": share,
    "SD1.5 caption and strip": caption_and_strip,
    "SD1.5 teach a style": teach,
}
