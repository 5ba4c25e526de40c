"""The stories of style transfer, each for every family of models."""

from __future__ import annotations

from making.graph import Graph, Link
from making.start import HOUSE, WINDOW, CheckpointStart, MiniStart, Start

CANNY = "control_v11p_sd15_canny_fp16.safetensors"
CANNY_URL = "https://huggingface.co/comfyanonymous/ControlNet-v1-1_fp16_safetensors/resolve/main/" + CANNY
YOURS = {
    "mini": "It is painted by mini, the small model inside this pack, at 128 pixels: quick, and a taste of what a "
    "larger model does (the same graph for SD1.5 is beside this one).",
    "SD1.5": "Any other SD1.x, SD2.x or SDXL checkpoint may take the place of SD1.5.",
}


def two_pictures(family: type[Start], graph: Graph) -> None:
    """The common case: two pictures of one's own, one node, a result."""
    graph.note(
        "Your two pictures",
        "Choose your picture in Content and a painting in Style, then press Run. " + YOURS[family.family],
        "More of the style: lower query_preservation. More of the content: raise it.",
    )
    s = family(graph, "Your two pictures")
    content, style = s.file("Content"), s.file("Style")
    graph.group("Style transfer")
    result = s.repaint(content, style)
    graph.group("Result")
    decoded = graph.add("VAEDecode", samples=result, vae=s.vae)
    detailed = graph.add("SWF_FineDetail", image=(decoded, 0), content=content.image, vae=s.vae)
    s.save((detailed, 0), "two pictures")
    # What App mode of newer pages shows: these widgets, and the pictures of the last node.
    chosen = [[picture.image[0], "image"] for picture in (content, style)]
    for (node, widget), label in zip(chosen, ("Your picture", "The style: a painting")):
        graph.label(node, widget, label)
    dials = [[result[0], name] for name in ("query_preservation", "colour_from_style", "steps")]
    graph.extra["linearData"] = {"inputs": chosen + dials, "outputs": [graph.nodes[-1]["id"]]}


def two_pictures_app(family: type[Start], graph: Graph) -> None:
    """The same, opened as an app by pages that know apps."""
    two_pictures(family, graph)
    graph.extra["linearMode"] = True


def with_words(family: type[Start], graph: Graph) -> None:
    """A transfer that words steer."""
    graph.note(
        "Style transfer with words",
        "Words change what the style transfer shows, here the ground. They count when cfg is above 1; the negative "
        "words say what it should not show. cfg 1 leaves everything to the two pictures.",
    )
    s = family(graph, "Pictures")
    content, style = s.picture("Content", HOUSE, latent=False), s.picture("Style", WINDOW, latent=False)
    graph.group("Words")
    words = {"mini": "stained glass of a red house in the snow at noon", "SD1.5": "a painting of a house in the snow"}
    positive, negative = s.text(words[s.family], "What to show"), s.text("", "What not to show")
    graph.group("Style transfer")
    cfg = {"mini": 3.0, "SD1.5": 4.0}[s.family]
    result = s.repaint(content, style, positive=positive, negative=negative, cfg=cfg)
    graph.group("Result")
    s.decode_and_save(result, "style transfer with words")


def patch(family: type[Start], graph: Graph) -> None:
    """The patch under a stock KSampler, on SD1.5 with a ControlNet."""
    controlled = family is CheckpointStart
    about = (
        "The Query-Preserve Attention Patch changes a MODEL, so any sampler, ControlNet, LoRA or mask works after it. "
        "Here a plain KSampler repaints the content at denoise 0.8."
    )
    net_note = f"[{CANNY}]({CANNY_URL}) goes into models/controlnet. Edges hold the drawing, so gamma may be low."
    graph.note("The patch with a stock sampler", about, *([net_note] if controlled else []))
    s = family(graph, "Pictures")
    content, style = s.picture("Content", HOUSE), s.picture("Style", WINDOW, latent=False)
    graph.enter(2)
    graph.column()
    empty = s.text("", "Empty prompt")
    positive, negative, steps = empty, empty, {"cfg": 1.0, "sampler_name": "dpmpp_2m", "scheduler": "normal"}
    if controlled:
        positive, negative = _edges(s, content.image, empty)
        steps |= {"cfg": 3.0, "scheduler": "karras"}
    graph.group("Style on the model")
    patched = s.patched(style, content.latent, reference_text=empty)
    graph.group("Sample")
    result = graph.add(
        "KSampler",
        model=patched,
        positive=positive,
        negative=negative,
        latent_image=content.latent,
        seed=3,
        steps=30,
        denoise=0.8,
        **steps,
    )
    graph.group("Result", below=True)
    s.decode_and_save((result, 0), "patch")


def _edges(s: Start, image: Link, empty: Link) -> tuple[Link, Link]:
    graph = s.graph
    graph.group("Hold the drawing")
    edges = graph.add("Canny", image=image, low_threshold=0.3, high_threshold=0.6)
    net = graph.add("ControlNetLoader", control_net_name=CANNY)
    graph.needs(net, CANNY, CANNY_URL, "controlnet")
    prompt = s.text("", "What to show (or empty)")
    controlled = graph.add(
        "ControlNetApplyAdvanced",
        positive=prompt,
        negative=empty,
        control_net=(net, 0),
        image=(edges, 0),
        strength=0.7,
        start_percent=0.0,
        end_percent=0.8,
    )
    return (controlled, 0), (controlled, 1)


def inversion(family: type[Start], graph: Graph) -> None:
    """A stock sampler that begins from the inverted content."""
    graph.note(
        "Start from inversion",
        "Trajectory finds the noise that leads to the content. A sampler that adds no noise starts from it, so the "
        "drawing stays. Bypass the patch and the content itself comes back.",
    )
    s = family(graph, "Pictures")
    content, style = s.picture("Content", HOUSE), s.picture("Style", WINDOW, latent=False)
    graph.enter(2)
    graph.column()
    empty = s.text("", "Empty prompt")
    graph.group("Invert the content")
    refinements = {"refinements": 1} if s.family == "SD1.5" else {}
    trajectory = graph.add(
        "SWF_Trajectory", model=s.model, text=empty, picture=content.latent, steps=30, scheduler="normal", **refinements
    )
    graph.group("Style on the model")
    patched = s.patched(style, (trajectory, 0), reference_text=empty)
    graph.group("Sample")
    result = graph.add(
        "KSamplerAdvanced",
        model=patched,
        positive=empty,
        negative=empty,
        latent_image=(trajectory, 1),
        add_noise="disable",
        noise_seed=0,
        steps=30,
        cfg=1.0,
        sampler_name="euler",
        scheduler="normal",
    )
    graph.group("Result", below=True)
    s.decode_and_save((result, 0), "start from inversion")


def text_driven(family: type[Start], graph: Graph) -> None:
    """No content picture: words say what, a picture says how."""
    mini = family is MiniStart
    graph.note(
        "Text-driven: words and a style",
        "gamma 0 asks no content picture. Lower strength when the words are not followed.",
    )
    s = family(graph, "The style picture")
    style = s.picture("Style", "a woodcut of a red boat by the sea at sunset", latent=False)
    graph.group("Words")
    shown = "a woodcut of a yellow lighthouse by the sea at sunset" if mini else "a lighthouse on a cliff at sunset"
    prompt, empty = s.text(shown, "What to show"), s.text("", "Empty prompt")
    graph.group("Style on the model")
    flat = {"gamma": 0.0, "gamma_end": 0.0, "gamma_schedule": "constant", "strength": 0.7 if mini else 0.8}
    patched = s.patched(style, reference_text=empty, **flat)
    graph.group("Four samples")
    blank = graph.add("EmptyLatentImage", width=s.size, height=s.size, batch_size=4)
    result = graph.add(
        "KSampler", model=patched, positive=prompt, negative=empty, latent_image=(blank, 0), seed=5, **s.steps
    )
    graph.group("Result", below=True)
    s.decode_and_save((result, 0), "words")


def several_styles(family: type[Start], graph: Graph) -> None:
    """Two styles, each in its half."""
    graph.note(
        "Several styles, each in its place",
        "Each Style Mix adds a style with its weight and its place; all share one sampling. Leave the masks off for a "
        "mixture everywhere. For places of your own, open a picture's mask editor and connect its MASK.",
    )
    s = family(graph, "Pictures")
    content, left = s.picture("Content", HOUSE, latent=False), s.picture("Style", WINDOW, latent=False)
    right = s.picture("Second style", "a woodcut of a white cat on the grass at noon", latent=False)
    graph.group("Each style's place")
    halves = _halves(s)
    first = graph.add("SWF_StyleMix", "First style, left", style=left.image, place=(halves, 0))
    both = graph.add("SWF_StyleMix", "Second style, right", style=right.image, place=(halves, 1), before=(first, 0))
    graph.group("Style transfer")
    result = s.repaint(content, (both, 0))
    graph.group("Result")
    s.decode_and_save(result, "several styles")


def _halves(s: Start) -> int:
    inner = s.subgraph("Left and right half")
    black = inner.add("SolidMask", value=0.0, width=s.size, height=s.size)
    white = inner.add("SolidMask", value=1.0, width=s.size // 2, height=s.size)
    left = inner.add("MaskComposite", destination=(black, 0), source=(white, 0), x=0, y=0, operation="add")
    right = inner.add("InvertMask", mask=(left, 0))
    inner.give("left", (left, 0))
    inner.give("right", (right, 0))
    return s.graph.use(inner)


def save_style(family: type[Start], graph: Graph) -> None:
    """Save a style to share; Style Load brings it back."""
    mini = family is MiniStart
    graph.note(
        "Save a style, and share it",
        "Style Save writes one file with picture, captions and settings to output/swf_styles. Send it to a friend, who "
        "puts it there or in models/swf_styles and takes Style Load in the place of Style Save.",
    )
    s = family(graph, "Pictures")
    content, style = s.picture("Content", HOUSE, latent=False), s.picture("Style", WINDOW, latent=False)
    graph.group("Its settings")
    patched = s.patched(style, content.image)
    graph.group("Save the style")
    captions = (WINDOW, "a blue boat on the grass at noon") if mini else ("", "")
    saved = graph.add(
        "SWF_StyleSave",
        picture=style.image,
        model=patched,
        name="stained glass example" if mini else "my style",
        caption=captions[0],
        stripped_caption=captions[1],
    )
    graph.group("Style transfer")
    result = s.repaint(content, (saved, 0))
    graph.group("Result", under=4)
    s.decode_and_save(result, "shared style")


STORIES = {
    "1 your two pictures": two_pictures,
    "2 style transfer with words": with_words,
    "3 patch with KSampler": patch,
    "4 start from inversion": inversion,
    "5 text-driven": text_driven,
    "6 several styles with masks": several_styles,
    "9 save a style": save_style,
}
APPS = {"1 your two pictures, app": two_pictures_app}
