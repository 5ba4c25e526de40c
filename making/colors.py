"""The stories of Color Edit, each on the embedded model and on Stable Diffusion 1.5."""

from __future__ import annotations

from making.checkpoint_story import CheckpointStory
from making.graph import Graph, Link
from making.mini_story import HOUSE, WINDOW, MiniStory

SEA = "#1d3557, #457b9d, #a8dadc, #f1faee, #e63946"
BY_WORDS = (
    "## Colors by words\nThe prompt says what the picture shows; **words** in *Color Edit* say the same with another "
    "color, and where the two differ the picture is led to it. A little before the middle of sampling, so that the "
    "drawing stays. Change the color in **words** and run again."
)
BY_PALETTE = (
    "## Colors by palette\n*Color Edit* leads the sampling to a **palette** and, behind it, moves the finished "
    "picture the rest of the way. The swatches of the second one are the picture's own colors: click one to change it."
)
CONTENT_COLORS = (
    "## The content's own colors\nThe style picture takes the content's colors before the transfer (**linear**), and "
    "the result takes its hues again after it (**luminance**): strokes of the style, colors of the content."
)


def words_on_mini(graph: Graph) -> None:
    """A blue house in place of a red one, in stained glass."""
    s = MiniStory(graph, HOUSE, WINDOW)
    caption = "stained glass of a {} house on the grass at noon"
    prompt = (s.text(caption.format("red"), 3, 0, "What it shows"), 0)
    colored = graph.add("SWF_ColorEdit", 3, 240, model=s.model, clip=s.clip, words=caption.format("blue"))
    result = s.repaint(4, 0, model=(colored, 0), positive=prompt, cfg=2.0, colour_from_style=0.5)
    s.save(result, 5, 0, "recolored by words")
    graph.note(BY_WORDS, 4, 520)


def palette_on_mini(graph: Graph) -> None:
    """Five colors of the sea, while sampling and after."""
    s = MiniStory(graph, HOUSE, WINDOW)
    colored = graph.add("SWF_ColorEdit", 3, 0, "While sampling", model=s.model, vae=s.vae, palette=SEA)
    result = s.repaint(4, 0, model=(colored, 0), colour_from_style=0.5)
    _move_to_palette(graph, s.decoded(result, 5, 0), 5, "recolored by palette")
    graph.note(BY_PALETTE, 4, 520)


def content_colors_on_mini(graph: Graph) -> None:
    """The content keeps its colors."""
    s = MiniStory(graph, HOUSE, "stained glass of a yellow boat by the sea at sunset")
    content, style = s.decoded(s.content, 3, 0), s.decoded(s.style, 3, 120)
    matched = graph.add("SWF_ColorEdit", 3, 240, "Style in the content's colors", image=style, reference=content)
    result = s.repaint(4, 0, style=(matched, 1), vae=s.vae, colour_from_style=0.5)
    _restore_hues(graph, s.decoded(result, 5, 0), content, 5)
    graph.note(CONTENT_COLORS, 4, 520)


def words_on_sd15(graph: Graph) -> None:
    """The same on SD1.5, with a picture of one's own."""
    s = CheckpointStory(graph)
    prompt = (s.text("a painting of a red house", 2, 0, "What it shows"), 0)
    colored = graph.add("SWF_ColorEdit", 2, 240, model=s.model, clip=s.clip, words="a painting of a blue house")
    s.save(s.repaint(3, 0, model=(colored, 0), positive=prompt, cfg=3.0), 4, 0, "recolored by words SD")
    graph.note(BY_WORDS + "\n\nPut what your own content shows into both texts.", 3, 520)


def palette_on_sd15(graph: Graph) -> None:
    """The same on SD1.5."""
    s = CheckpointStory(graph)
    colored = graph.add("SWF_ColorEdit", 2, 0, "While sampling", model=s.model, vae=s.vae, palette=SEA)
    result = graph.add("VAEDecode", 4, 0, samples=s.repaint(3, 0, model=(colored, 0)), vae=s.vae)
    _move_to_palette(graph, (result, 0), 4, "recolored by palette SD")
    graph.note(BY_PALETTE, 3, 520)


def content_colors_on_sd15(graph: Graph) -> None:
    """The same on SD1.5."""
    s = CheckpointStory(graph)
    matched = graph.add(
        "SWF_ColorEdit", 2, 0, "Style in the content's colors", image=s.style_picture, reference=s.content_picture
    )
    repainted = s.repaint(3, 0, style=(matched, 1), vae=s.vae)
    result = graph.add("VAEDecode", 4, 0, samples=repainted, vae=s.vae)
    _restore_hues(graph, (result, 0), s.content_picture, 4)
    graph.note(CONTENT_COLORS, 3, 520)


def _move_to_palette(graph: Graph, image: Link, column: int, name: str) -> None:
    """The finished picture, the rest of the way to the palette."""
    moved = graph.add("SWF_ColorEdit", column, 120, "After", image=image, palette=SEA)
    graph.add("SaveImage", column + 1, 0, "Result", images=(moved, 1), filename_prefix=f"StyleWallfacer/{name}")


def _restore_hues(graph: Graph, image: Link, content: Link, column: int) -> None:
    """The finished picture with the content's hues."""
    moved = graph.add("SWF_ColorEdit", column, 120, "Hues again", image=image, reference=content, method="luminance")
    graph.add("SaveImage", column + 1, 0, "Result", images=(moved, 1), filename_prefix="StyleWallfacer/content colors")


STORIES = {
    "mini recolor by words": words_on_mini,
    "mini recolor by palette": palette_on_mini,
    "mini keep content colors": content_colors_on_mini,
    "SD1.5 recolor by words": words_on_sd15,
    "SD1.5 recolor by palette": palette_on_sd15,
    "SD1.5 keep content colors": content_colors_on_sd15,
}
