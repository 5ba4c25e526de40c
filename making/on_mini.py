"""The stories of style transfer on the embedded model."""

from __future__ import annotations

from making.graph import Graph
from making.mini_story import HOUSE, WINDOW, MiniStory


def style_transfer(graph: Graph) -> None:
    """The common case in one node."""
    s = MiniStory(graph, HOUSE, WINDOW)
    result = s.repaint(3, 0)
    s.save(result, 4, 0, "style transfer")
    graph.note(
        "## Style transfer\nPress **Run**. Content and style are sampled from words by the embedded model; put *Load "
        "Image* and *VAE Encode* in their place for pictures of your own. Lower **query_preservation** for more style.",
        3,
        620,
    )


def patch(graph: Graph) -> None:
    """The patch under a stock KSampler."""
    s = MiniStory(graph, HOUSE, WINDOW)
    patched = s.patched(3, 0)
    result = s.sample(
        4, 0, model=patched, latent_image=s.content, seed=3, steps=30, cfg=1.0, sampler_name="dpmpp_2m", denoise=0.8
    )
    s.save(result, 5, 0, "patch")
    graph.note(
        "## The patch\nThe **Query-Preserve Attention Patch** changes a MODEL, so any sampler, ControlNet, LoRA or "
        "mask works after it. Here a plain KSampler repaints the content at denoise 0.8.",
        4,
        520,
    )


def inversion(graph: Graph) -> None:
    """A stock sampler that begins from the inverted content."""
    s = MiniStory(graph, HOUSE, WINDOW)
    trajectory = graph.add(
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
    patched = s.patched(3, 480, content=(trajectory, 0))
    result = s.sample_inverted(4, 0, patched, trajectory)
    s.save(result, 5, 0, "start from inversion")
    graph.note(
        "## Start from inversion\n**Trajectory** finds the noise that leads to the content. A sampler that adds no "
        "noise starts from it, so the drawing stays. Bypass the patch and the content itself comes back.",
        4,
        520,
    )


def text_driven(graph: Graph) -> None:
    """No content picture: words say what, a picture says how."""
    s = MiniStory(
        graph, "a photo of a green tree in the snow at sunset", "a woodcut of a red boat by the sea at sunset"
    )
    prompt = s.text("a woodcut of a yellow lighthouse by the sea at sunset", 3, 0, "What to show")
    patched = s.patched(3, 260, content=None, gamma=0.0, tau=1.5, strength=0.7)
    blank = graph.add("EmptyLatentImage", 4, 420, width=128, height=128, batch_size=4)
    result = s.sample(4, 0, model=patched, positive=(prompt, 0), latent_image=(blank, 0), seed=5, steps=25, cfg=4.0)
    s.save(result, 5, 0, "words")
    graph.note(
        "## Text-driven stylization\nThe words say what is shown, the style picture how. **gamma 0** asks no content; "
        "lower **strength** when the words are not followed.",
        4,
        640,
    )


def several_styles(graph: Graph) -> None:
    """Two styles, each in its half."""
    s = MiniStory(graph, HOUSE, WINDOW)
    other = s.picture("a woodcut of a white cat on the grass at noon", 1370, 9, "Second style")
    black = graph.add("SolidMask", 3, 0, "Black", value=0.0, width=128, height=128)
    half = graph.add("SolidMask", 3, 140, "White half", value=1.0, width=64, height=128)
    mask = graph.add(
        "MaskComposite", 3, 280, "Left half", destination=(black, 0), source=(half, 0), x=0, y=0, operation="add"
    )
    inverse = graph.add("InvertMask", 3, 460, "Right half", mask=(mask, 0))
    first = graph.add("SWF_StyleMix", 4, 0, "Glass, left", style=s.style, place=(mask, 0))
    both = graph.add("SWF_StyleMix", 4, 260, "Woodcut, right", style=other, place=(inverse, 0), before=(first, 0))
    result = s.repaint(5, 0, style=(both, 0))
    s.save(result, 6, 0, "several styles")
    graph.note(
        "## Several styles with masks\nEach **Style Mix** adds a style with its weight and its **place**; all share "
        "one sampling. Leave the masks off for a mixture everywhere.",
        6,
        560,
    )


def save_style(graph: Graph) -> None:
    """Save a style to share; Style Load brings it back."""
    s = MiniStory(graph, HOUSE, WINDOW)
    patched = s.patched(3, 0)
    picture = s.decoded(s.style, 4, 0)
    saved_style = graph.add(
        "SWF_StyleSave",
        4,
        100,
        picture=picture,
        model=patched,
        name="stained glass example",
        caption=WINDOW,
        stripped_caption="a blue boat on the grass at noon",
    )
    result = s.repaint(5, 0, style=(saved_style, 0), vae=s.vae)
    s.save(result, 6, 0, "shared style")
    graph.note(
        "## Save and load a style\n**Style Save** writes one file with picture, captions and settings to "
        "output/swf_styles. Send it to a friend, who puts it there or in models/swf_styles and takes **Style Load** in "
        "the place of Style Save.",
        4,
        760,
    )


STORIES = {
    "mini style transfer": style_transfer,
    "mini patch with KSampler": patch,
    "mini start from inversion": inversion,
    "mini text-driven": text_driven,
    "mini several styles with masks": several_styles,
    "mini save a style": save_style,
}
