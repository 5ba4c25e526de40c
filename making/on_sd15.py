"""The stories of style transfer on Stable Diffusion 1.5."""

from __future__ import annotations

from making.checkpoint_story import CheckpointStory
from making.graph import Graph

CANNY = "control_v11p_sd15_canny_fp16.safetensors"
CANNY_URL = "https://huggingface.co/comfyanonymous/ControlNet-v1-1_fp16_safetensors/resolve/main/" + CANNY


def style_transfer(graph: Graph) -> None:
    """The common case in one node, on SD1.5."""
    s = CheckpointStory(graph)
    s.save(s.repaint(2, 0), 3, 0, "style transfer SD")


def patch_with_controlnet(graph: Graph) -> None:
    """The patch under a stock KSampler with a ControlNet, on SD1.5."""
    s = CheckpointStory(graph)
    edges = graph.add("Canny", 2, 640, image=s.content_picture, low_threshold=0.3, high_threshold=0.6)
    net = graph.add("ControlNetLoader", 2, 480, control_net_name=CANNY)
    graph.needs(net, CANNY, CANNY_URL, "controlnet")
    prompt = s.text("", 2, 200, "What to show (may stay empty)")
    controlled = graph.add(
        "ControlNetApplyAdvanced",
        3,
        480,
        positive=(prompt, 0),
        negative=s.empty,
        control_net=(net, 0),
        image=(edges, 0),
        strength=0.7,
        start_percent=0.0,
        end_percent=0.8,
    )
    patched = s.patched(3, 760)
    result = s.sample(
        4,
        0,
        model=patched,
        positive=(controlled, 0),
        negative=(controlled, 1),
        latent_image=s.content,
        seed=3,
        steps=30,
        cfg=3.0,
        sampler_name="dpmpp_2m",
        scheduler="karras",
        denoise=0.8,
    )
    s.save(result, 5, 0, "patch SD")
    graph.note(
        f"## The patch and a ControlNet\n[{CANNY}]({CANNY_URL}) goes into models/controlnet. Edges of the content hold "
        "the drawing, so gamma may be low; the style pictures themselves never see the ControlNet.",
        4,
        520,
    )


def inversion(graph: Graph) -> None:
    """A stock sampler that begins from the inverted content, on SD1.5."""
    s = CheckpointStory(graph)
    trajectory = graph.add(
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
    patched = s.patched(2, 520, content=(trajectory, 0))
    result = s.sample_inverted(3, 0, patched, trajectory)
    s.save(result, 4, 0, "start from inversion SD")


def text_driven(graph: Graph) -> None:
    """No content picture: words say what, a picture says how, on SD1.5."""
    s = CheckpointStory(graph)
    prompt = s.text("a lighthouse on a cliff at sunset, painting", 2, 0, "What to show")
    patched = s.patched(2, 260, content=None, gamma=0.0, gamma_end=0.0, gamma_schedule="constant", strength=0.8)
    blank = graph.add("EmptyLatentImage", 3, 420, width=512, height=512, batch_size=4)
    result = s.sample(
        3,
        0,
        model=patched,
        positive=(prompt, 0),
        latent_image=(blank, 0),
        seed=5,
        steps=25,
        cfg=7.0,
        sampler_name="dpmpp_2m",
        scheduler="karras",
    )
    s.save(result, 4, 0, "words SD")


def several_styles(graph: Graph) -> None:
    """Two styles, each in its half, on SD1.5."""
    s = CheckpointStory(graph)
    _, other = s.picture(1700, "Second style")
    black = graph.add("SolidMask", 2, 0, "Black", value=0.0, width=512, height=512)
    half = graph.add("SolidMask", 2, 140, "White half", value=1.0, width=256, height=512)
    mask = graph.add(
        "MaskComposite", 2, 280, "Left half", destination=(black, 0), source=(half, 0), x=0, y=0, operation="add"
    )
    inverse = graph.add("InvertMask", 2, 460, "Right half", mask=(mask, 0))
    first = graph.add("SWF_StyleMix", 3, 0, "Left", style=s.style, place=(mask, 0))
    both = graph.add("SWF_StyleMix", 3, 260, "Right", style=other, place=(inverse, 0), before=(first, 0))
    s.save(s.repaint(4, 0, style=(both, 0)), 5, 0, "several styles SD")


def save_style(graph: Graph) -> None:
    """Save a style to share, on SD1.5."""
    s = CheckpointStory(graph)
    patched = s.patched(2, 0)
    saved_style = graph.add(
        "SWF_StyleSave", 3, 0, picture=s.style_picture, model=patched, name="my style", caption="", stripped_caption=""
    )
    s.save(s.repaint(4, 0, style=(saved_style, 0), vae=s.vae), 5, 0, "shared style SD")


STORIES = {
    "SD1.5 style transfer": style_transfer,
    "SD1.5 patch with KSampler and ControlNet": patch_with_controlnet,
    "SD1.5 start from inversion": inversion,
    "SD1.5 text-driven": text_driven,
    "SD1.5 several styles with masks": several_styles,
    "SD1.5 save a style": save_style,
}
