"""The stories of Color Edit, each for every family of models."""

from __future__ import annotations

from making.graph import Graph
from making.start import HOUSE, WINDOW, MiniStart, Start

SEA = "#1d3557, #457b9d, #a8dadc, #f1faee, #e63946"


def by_words(family: type[Start], graph: Graph) -> None:
    """A blue house in place of a red one."""
    mini = family is MiniStart
    yours = "" if mini else " Put what your own content shows into both texts."
    graph.note(
        "Colors by words",
        "The prompt says what the picture shows; words in Color Edit say the same with another color, and where the "
        "two differ the picture is led to it, so that the drawing stays. Change the color and run again." + yours,
    )
    s = family(graph, "Pictures")
    content, style = s.picture("Content", HOUSE, latent=False), s.picture("Style", WINDOW, latent=False)
    caption = "stained glass of a {} house on the grass at noon" if mini else "a painting of a {} house"
    graph.group("Another color")
    prompt = s.text(caption.format("red"), "What it shows")
    colored = graph.add("SWF_ColorEdit", model=s.model, clip=s.clip, words=caption.format("blue"))
    graph.group("Style transfer")
    result = s.repaint(content, style, model=(colored, 0), positive=prompt, cfg=2.0 if mini else 3.0)
    graph.group("Result")
    s.decode_and_save(result, "recolored by words")


def by_palette(family: type[Start], graph: Graph) -> None:
    """Five colors of the sea, while sampling and after."""
    graph.note(
        "Colors by palette",
        "Color Edit leads the sampling to a palette and, behind it, moves the finished picture the rest of the way. "
        "The swatches of the second one are the picture's own colors: click one to change it.",
    )
    s = family(graph, "Pictures")
    content, style = s.picture("Content", HOUSE, latent=False), s.picture("Style", WINDOW, latent=False)
    graph.group("While sampling")
    colored = graph.add("SWF_ColorEdit", model=s.model, vae=s.vae, palette=SEA)
    graph.group("Style transfer")
    result = s.repaint(content, style, model=(colored, 0))
    graph.group("After, and the result")
    decoded = graph.add("VAEDecode", samples=result, vae=s.vae)
    moved = graph.add("SWF_ColorEdit", image=(decoded, 0), palette=SEA)
    s.save((moved, 1), "recolored by palette")
    graph.lower(60)


def content_colors(family: type[Start], graph: Graph) -> None:
    """The content keeps its colors."""
    graph.note(
        "The content's own colors",
        "The style picture takes the content's colors before the transfer (linear), and the result takes its hues "
        "again after it (luminance): strokes of the style, colors of the content.",
    )
    s = family(graph, "Pictures")
    content = s.picture("Content", HOUSE, latent=False)
    style = s.picture("Style", "stained glass of a yellow boat by the sea at sunset", latent=False)
    graph.group("Style in the content's colors")
    matched = graph.add("SWF_ColorEdit", image=style.image, reference=content.image)
    graph.group("Style transfer")
    result = s.repaint(content, (matched, 1))
    graph.group("Hues again, and the result")
    decoded = graph.add("VAEDecode", samples=result, vae=s.vae)
    moved = graph.add("SWF_ColorEdit", image=(decoded, 0), reference=content.image, method="luminance")
    s.save((moved, 1), "content colors")
    graph.lower(60)


STORIES = {
    "7 keep content colors": content_colors,
    "7 recolor by palette": by_palette,
    "7 recolor by words": by_words,
}
