"""The stories on the embedded model.

Pictures come from the model itself, so that a graph runs on a fresh machine with no file and no download.
"""

from __future__ import annotations

from typing import Any

from graph import Graph, Link


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
# What the gallery shows: contents far from the style picture's.
LOOKED_AT = "\n".join(
    (
        "a yellow boat by the sea at sunset",
        "a white cat in the snow at night",
        "a blue car on the sand at noon",
        "a green tree on the grass at noon",
        "a red umbrella by the sea at noon",
        "a purple vase on the sand at noon",
    )
)


def style_transfer(graph: Graph) -> None:
    """The common case in one node."""
    s = Start(graph, HOUSE, WINDOW)
    done = graph.add(
        "SWF_TripleSampler",
        3,
        0,
        model=s.model,
        positive=s.empty,
        negative=s.empty,
        content=s.content,
        style=s.style,
        seed=1,
        steps=30,
        cfg=1.0,
        sampler_name="euler",
        scheduler="normal",
        query_preservation=0.5,
    )
    s.save((done, 0), 4, 0, "style transfer")
    graph.note(
        "## Style transfer\nPress **Run**. Content and style are sampled from words by the embedded model; put *Load "
        "Image* and *VAE Encode* in their place for pictures of your own. Lower **query_preservation** for more style.",
        3,
        620,
    )


def patch(graph: Graph) -> None:
    """The patch under a stock KSampler."""
    s = Start(graph, HOUSE, WINDOW)
    patched = s.patched(3, 0)
    done = graph.add(
        "KSampler",
        4,
        0,
        model=patched,
        positive=s.empty,
        negative=s.empty,
        latent_image=s.content,
        seed=3,
        steps=30,
        cfg=1.0,
        sampler_name="dpmpp_2m",
        scheduler="normal",
        denoise=0.8,
    )
    s.save((done, 0), 5, 0, "patch")
    graph.note(
        "## The patch\nThe **Query-Preserve Attention Patch** changes a MODEL, so any sampler, ControlNet, LoRA or "
        "mask works after it. Here a plain KSampler repaints the content at denoise 0.8.",
        4,
        520,
    )


def inversion(graph: Graph) -> None:
    """A stock sampler that begins from the inverted content."""
    s = Start(graph, HOUSE, WINDOW)
    way = graph.add(
        "SWF_Trajectory",
        3,
        0,
        "Content, inverted",
        model=s.model,
        text=s.empty,
        picture=s.content,
        steps=30,
        scheduler="normal",
    )
    patched = s.patched(3, 480, content=(way, 0))
    done = graph.add(
        "KSamplerAdvanced",
        4,
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
    s.save((done, 0), 5, 0, "start from inversion")
    graph.note(
        "## Start from inversion\n**Trajectory** finds the noise that leads to the content. A sampler that adds no "
        "noise starts from it, so the drawing stays. Bypass the patch and the content itself comes back.",
        4,
        520,
    )


def words(graph: Graph) -> None:
    """No content picture: words say what, a picture says how."""
    s = Start(graph, "a photo of a green tree in the snow at sunset", "a woodcut of a red boat by the sea at sunset")
    wanted = s.text("a woodcut of a yellow lighthouse by the sea at sunset", 3, 0, "What to show")
    patched = s.patched(3, 260, content=None, gamma=0.0, tau=1.5, strength=0.7)
    blank = graph.add("EmptyLatentImage", 4, 420, width=128, height=128, batch_size=4)
    done = graph.add(
        "KSampler",
        4,
        0,
        model=patched,
        positive=(wanted, 0),
        negative=s.empty,
        latent_image=(blank, 0),
        seed=5,
        steps=25,
        cfg=4.0,
        sampler_name="euler",
        scheduler="normal",
    )
    s.save((done, 0), 5, 0, "words")
    graph.note(
        "## Text-driven stylization\nThe words say what is shown, the style picture how. **gamma 0** asks no content; "
        "lower **strength** when the words are not followed.",
        4,
        640,
    )


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
        "SWF_TripleSampler",
        5,
        0,
        model=s.model,
        positive=s.empty,
        negative=s.empty,
        content=s.content,
        style=(both, 0),
        seed=1,
        steps=30,
        cfg=1.0,
        sampler_name="euler",
        scheduler="normal",
        query_preservation=0.5,
    )
    s.save((done, 0), 6, 0, "several styles")
    graph.note(
        "## Several styles with masks\nEach **Style Mix** adds a style with its weight and its **place**; all share "
        "one sampling. Leave the masks off for a mixture everywhere.",
        6,
        560,
    )


def share(graph: Graph) -> None:
    """Save a style to share; Style Load brings it back."""
    s = Start(graph, HOUSE, WINDOW)
    patched = s.patched(3, 0)
    picture = s.decoded(s.style, 4, 0)
    kept = graph.add(
        "SWF_StyleSave",
        4,
        100,
        picture=picture,
        model=patched,
        name="stained glass example",
        caption=WINDOW,
        stripped_caption="a blue boat on the grass at noon",
    )
    done = graph.add(
        "SWF_TripleSampler",
        5,
        0,
        model=s.model,
        positive=s.empty,
        negative=s.empty,
        content=s.content,
        style=(kept, 0),
        vae=s.vae,
        seed=1,
        steps=30,
        cfg=1.0,
        sampler_name="euler",
        scheduler="normal",
        query_preservation=0.5,
    )
    s.save((done, 0), 6, 0, "shared style")
    graph.note(
        "## Save and load a style\n**Style Save** writes one file with picture, captions and settings to "
        "output/swf_styles. Send it to a friend, who puts it there or in models/swf_styles and takes **Style Load** in "
        "the place of Style Save.",
        4,
        760,
    )


def caption_and_strip(graph: Graph) -> None:
    """What pictures show, in words, without the words for how they are made."""
    s = Start(graph, HOUSE, WINDOW)
    both = graph.add(
        "ImageBatch", 3, 0, "Both pictures", image1=s.decoded(s.content, 2, 300), image2=s.decoded(s.style, 2, 1200)
    )
    told = graph.add("SWF_BlipCaption", 3, 120, image=(both, 0), captioner="mini", clip="mini")
    stripped = graph.add(
        "SWF_StyleStrip", 4, 120, caption=(told, 0), image=(both, 0), method="offline", llm="none", clip="mini"
    )
    graph.add("PreviewAny", 5, 120, "What they show", source=(stripped, 0))
    graph.add("PreviewAny", 5, 320, "Removed", source=(stripped, 1))
    graph.add("PreviewAny", 5, 520, "Report", source=(stripped, 3))
    graph.add("SaveImage", 5, 720, "The pictures", images=(both, 0), filename_prefix="StyleWallfacer/caption and strip")
    graph.note(
        "## Caption and strip\n**BLIP Caption** says what each picture shows, **Style-Strip LLM** takes out the words "
        "for how it is made. Click a candidate, or a struck piece to keep it, or write into **edited**, one line a "
        "picture; then run again. The mini captioner knows its small world alone: choose a BLIP for your own pictures.",
        3,
        760,
        (700, 160),
    )


def teach(graph: Graph) -> None:
    """A style learnt from one picture, with a person's picks, then used from words and on a picture."""
    s = Start(graph, HOUSE, "a photo of a yellow boat by the sea at noon")
    negative = graph.add("ImageInvert", 3, 430, "A style mini never saw: a negative", image=s.decoded(s.style, 2, 1200))
    graph.add("PreviewImage", 3, 560, "The style picture", images=(negative, 0))
    told = graph.add("SWF_BlipCaption", 3, 860, image=(negative, 0), captioner="mini", clip="mini")
    stripped = graph.add("SWF_StyleStrip", 4, 860, caption=(told, 0), method="offline", llm="none", clip="none")
    data = graph.add("SWF_StyleDataset", 4, 430, image=(negative, 0), captions=(stripped, 0))
    taught = graph.add(
        "SWF_LoraTrain",
        5,
        430,
        model=s.model,
        clip=s.clip,
        vae=s.vae,
        dataset=(data, 0),
        run_name="a negative",
        steps=100,
        sample_every=50,
        prompts=LOOKED_AT,
    )
    graph.add("PreviewImage", 5, 1000, "Losses and signals", images=(taught, 4))
    chosen = graph.add("SWF_FeedbackGallery", 6, 430, "Which samples are good?", run=(taught, 5))
    more = graph.add("SWF_TrainOn", 8, 430, model=s.model, clip=s.clip, vae=s.vae, run=(chosen, 0), steps=40)
    graph.add("SWF_FeedbackGallery", 9, 430, "After the picks", run=(more, 5), mode="saved picks")
    wanted = s.text("a white cat on the grass at noon", 5, 0, "What to show, no word of style")
    hooked = graph.add(
        "ConditioningSetProperties", 6, 0, "The LoRA for this prompt alone", cond_NEW=(wanted, 0), hooks=(more, 7)
    )
    blank = graph.add("EmptyLatentImage", 6, 220, width=128, height=128, batch_size=4)
    done = graph.add(
        "KSampler",
        9,
        0,
        "From words",
        model=s.model,
        positive=(hooked, 0),
        negative=s.empty,
        latent_image=(blank, 0),
        seed=5,
        steps=16,
        cfg=5.0,
        sampler_name="euler",
        scheduler="normal",
    )
    s.save((done, 0), 10, 0, "taught, from words")
    repainted = graph.add(
        "SWF_TripleSampler",
        11,
        430,
        "On a picture",
        model=(more, 0),
        positive=s.empty,
        negative=s.empty,
        content=s.content,
        style=(negative, 0),
        vae=s.vae,
        seed=1,
        steps=30,
        cfg=1.0,
        sampler_name="euler",
        scheduler="normal",
        query_preservation=0.5,
    )
    s.save((repainted, 0), 12, 430, "taught, on a picture")
    graph.note(
        "## Teach a style\nOne picture, captioned, its caption stripped of style words; what is left unsaid is what "
        "the LoRA learns. **hooks** puts it on the positive prompt alone, so that guidance does not subtract the style "
        "again; **MODEL** has it everywhere.\n\nThe **gallery** waits for you: click the good samples, then *Train on*."
        " They join the picture in the next round. Change a pick later and run again: another round begins from there.",
        0,
        1420,
        (700, 220),
    )


STORIES = {
    "mini style transfer": style_transfer,
    "mini patch with KSampler": patch,
    "mini start from inversion": inversion,
    "mini text-driven": words,
    "mini several styles with masks": several_styles,
    "mini save a style": share,
    "mini caption and strip": caption_and_strip,
    "mini teach a style": teach,
}
