"""The stories of words and training, each for every family of models."""

from __future__ import annotations

from making.graph import Graph, Link
from making.start import HOUSE, WINDOW, MiniStart, Picture, Start

# What the gallery shows: contents far from the style picture's.
GALLERY_PROMPTS = "\n".join(
    (
        "a yellow boat by the sea at sunset",
        "a white cat in the snow at night",
        "a blue car on the sand at noon",
        "a green tree on the grass at noon",
        "a red umbrella by the sea at noon",
        "a purple vase on the sand at noon",
    )
)
BLIP, CLIP = "download: blip-image-captioning-base", "download: clip-vit-large-patch14"
BLIP_LINK = "[BLIP base](https://huggingface.co/Salesforce/blip-image-captioning-base) (1 GB)"
CLIP_LINK = "[CLIP](https://huggingface.co/openai/clip-vit-large-patch14) (1.7 GB)"


def caption_and_strip(family: type[Start], graph: Graph) -> None:
    """What pictures show, in words, without the words for how they are made."""
    mini = family is MiniStart
    limits = (
        "mini knows its small world alone: for your own pictures choose a BLIP."
        if mini
        else f"The first run downloads {BLIP_LINK} and {CLIP_LINK}, unless their files lie in folders in models/blip "
        "and models/clip_whole."
    )
    graph.note(
        "Caption, and strip the style",
        "BLIP Caption says what a picture shows, Style-Strip takes out the words for how it is made. Click a struck "
        "piece to keep it, then run again.",
        limits,
    )
    s = family(graph, "Pictures")
    content, style = s.picture("Content", HOUSE, latent=not mini), s.picture("Style", WINDOW, latent=False)
    graph.group("What it shows")
    image = content.image
    if mini:
        image = (graph.add("ImageBatch", "Both pictures", image1=content.image, image2=style.image), 0)
    captioner, clip = ("mini", "mini") if mini else (BLIP, CLIP)
    captions = graph.add("SWF_BlipCaption", image=image, captioner=captioner, clip=clip)
    graph.group("Without style words")
    stripped = graph.add(
        "SWF_StyleStrip",
        caption=(captions, 0),
        media=(captions, 2),
        image=image,
        method="offline",
        llm="none",
        clip=clip,
    )
    graph.add("PreviewAny", "Removed", source=(stripped, 1))
    graph.add("PreviewAny", "Report", source=(stripped, 3))
    graph.group("What is left")
    graph.add("PreviewAny", "What it shows", source=(stripped, 0))
    if mini:
        s.save(image, "caption and strip", "The pictures")
    else:
        s.save(_paint_what_it_shows(s, content, style, (stripped, 0)), "caption and strip")


def _paint_what_it_shows(s: Start, content: Picture, style: Picture, caption: Link) -> Link:
    assert content.latent is not None
    prompt = s.graph.add("CLIPTextEncode", "What to show", clip=s.clip, text=caption)
    types = {"content": "LATENT", "style": "IMAGE", "words": "CONDITIONING"}
    inner = s.subgraph("Paint what it shows", **types, model="MODEL", clip="CLIP", vae="VAE")
    empty = inner.add("CLIPTextEncode", "Empty prompt", clip=inner.given("clip"), text="")
    inner.column()
    patched = inner.add(
        "SWF_QueryPreservePatch",
        model=inner.given("model"),
        content=inner.given("content"),
        style=inner.given("style"),
        vae=inner.given("vae"),
        reference_text=(empty, 0),
        **s.patch,
    )
    inner.column()
    sampled = inner.add(
        "KSampler",
        model=(patched, 0),
        positive=inner.given("words"),
        negative=(empty, 0),
        latent_image=inner.given("content"),
        seed=3,
        denoise=0.8,
        **(s.steps | {"steps": 30, "cfg": 4.0}),
    )
    decoded = inner.add("VAEDecode", samples=(sampled, 0), vae=inner.given("vae"))
    inner.give("image", (decoded, 0))
    links = {"content": content.latent, "style": style.image, "words": (prompt, 0)}
    return s.graph.use(inner, **links, model=s.model, clip=s.clip, vae=s.vae), 0


def teach(family: type[Start], graph: Graph) -> None:
    """A style learned from one picture, with a person's picks, then used from words and on a picture."""
    mini = family is MiniStart
    cost = "" if mini else f" The first run downloads {BLIP_LINK}; 600 steps take minutes on a GPU."
    graph.note(
        "Teach a style",
        "One picture; its caption without style words; what is left unsaid is what the LoRA learns." + cost,
        "The gallery waits for you: click the good samples, then Train on. They join the picture.",
    )
    s = family(graph, "The style picture", "Model, and a content", below=False)
    content, style = _pictures_to_learn(s)
    graph.group("Its caption, and the data", below=True)
    captions = _caption(s, style.image)
    data = graph.add("SWF_StyleDataset", image=style.image, captions=captions)
    graph.group("Train")
    few = {"run_name": "a negative", "steps": 100, "sample_every": 50, "prompts": GALLERY_PROMPTS}
    many = {"run_name": "my style", "steps": 600, "sample_every": 100}
    models = {"model": s.model, "clip": s.clip, "vae": s.vae}
    training = graph.add("SWF_LoraTrain", **models, dataset=(data, 0), **(few if mini else many))
    graph.group("Pick the good ones")
    picks = graph.add("SWF_FeedbackGallery", "Which samples are good?", run=(training, 5))
    graph.group("Train on", below=True)
    resumed = graph.add("SWF_TrainOn", **models, run=(picks, 0), steps=40 if mini else 200)
    graph.group("Use it")
    prompt = s.text("a white cat on the grass at noon" if mini else "a fox in a forest", "What to show, no style word")
    _use(s, content, style, prompt, resumed)


def _pictures_to_learn(s: Start) -> tuple[Picture, Picture]:
    """The content, and the style picture, which on mini is one that it never saw: a negative."""
    graph = s.graph
    if not isinstance(s, MiniStart):
        style = s.file("Style")
        graph.enter(2)
        return Picture((graph.add("LoadImage", "A content: choose yours", image="example.png"), 0)), style
    photo = s.painted("Style", "a photo of a yellow boat by the sea at noon")
    negative = graph.add("ImageInvert", "A negative: new to mini", image=photo.image)
    graph.add("PreviewImage", "The style picture", images=(negative, 0))
    graph.enter(2)
    return s.painted("Content", HOUSE), Picture((negative, 0))


def _caption(s: Start, image: Link) -> Link:
    """The picture's caption without style words, by nodes inside a subgraph."""
    inner = s.subgraph("Caption without style words", image="IMAGE")
    captioner, clip = ("mini", "mini") if s.family == "mini" else (BLIP, "none")
    captions = inner.add("SWF_BlipCaption", image=inner.given("image"), captioner=captioner, clip=clip)
    inner.column()
    stripped = inner.add(
        "SWF_StyleStrip", caption=(captions, 0), media=(captions, 2), method="offline", llm="none", clip="none"
    )
    inner.give("caption", (stripped, 0))
    return s.graph.use(inner, image=image), 0


def _use(s: Start, content: Picture, style: Picture, prompt: Link, trained: int) -> None:
    """What was learned, from words and on a picture."""
    inner = s.subgraph("From words", positive="CONDITIONING", hooks="HOOKS", model="MODEL", clip="CLIP", vae="VAE")
    # The LoRA on the positive prompt alone, so that guidance does not subtract the style again.
    hooked = inner.add("ConditioningSetProperties", cond_NEW=inner.given("positive"), hooks=inner.given("hooks"))
    empty = inner.add("CLIPTextEncode", "Empty prompt", clip=inner.given("clip"), text="")
    blank = inner.add("EmptyLatentImage", width=s.size, height=s.size, batch_size=4 if s.family == "mini" else 1)
    inner.column()
    steps = {"steps": 16, "cfg": 5.0} if s.family == "mini" else {"steps": 30, "cfg": 5.0}
    sampled = inner.add(
        "KSampler",
        model=inner.given("model"),
        positive=(hooked, 0),
        negative=(empty, 0),
        latent_image=(blank, 0),
        seed=5,
        **(s.steps | steps),
    )
    decoded = inner.add("VAEDecode", samples=(sampled, 0), vae=inner.given("vae"))
    inner.give("image", (decoded, 0))
    models = {"model": s.model, "clip": s.clip, "vae": s.vae}
    s.save((s.graph.use(inner, positive=prompt, hooks=(trained, 7), **models), 0), "taught, from words", "From words")
    s.graph.lower(115)
    picture = s.subgraph("On a picture", content="IMAGE", style="IMAGE", model="MODEL", clip="CLIP", vae="VAE")
    given = {name: picture.given(name) for name in ("content", "style", "model", "clip", "vae")}
    repainted = picture.add("SWF_TripleSampler", **given, seed=1, **s.triple)
    decoded = picture.add("VAEDecode", samples=(repainted, 0), vae=picture.given("vae"))
    picture.give("image", (decoded, 0))
    models["model"] = (trained, 0)
    painted = s.graph.use(picture, content=content.image, style=style.image, **models)
    s.save((painted, 0), "taught, on a picture", "On a picture")
    s.graph.lower(115)


STORIES = {"8 caption and strip": caption_and_strip, "8 teach a style": teach}
