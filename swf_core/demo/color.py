"""The demo's colors: a transfer whose house changes color by words, and palettes and references on photographs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from PIL import Image

from ..color.concepts import Concept
from ..color.guidance import ColorGuidance
from ..color.match import match
from ..color.palette import Palette, extract, parse
from ..color.transport import palette_distance, repalette
from ..measure.benches.color_words import BEGINS, STEPS, STRENGTH, hue_difference, hue_of
from ..measure.metrics.fidelity import CAPTIONED_CFG
from ..measure.metrics.pairs import picture
from ..pictures import resize, sheet
from ..transfer import Content, preset, stylize
from ..transfer.sigmas import schedule
from ..world import caption, random_look, random_scene
from ..world.seeds import TEST_SEED
from .photographs import installed_photographs
from .stage import Result, Stage, stacked_pages

COLORS = ("blue", "green", "purple")
STYLE = "stained glass"
SEA = "#1d3557, #457b9d, #a8dadc, #f1faee, #e63946"
FILES = {"astronaut": "astronaut.png", "coffee": "coffee.png"}


def run(stage: Stage) -> Result:
    """A page, and the figures: hue errors against the truth, and how near a palette was reached."""
    bar = stage.bars("colors")
    words_page, errors = _by_words(stage, bar)
    photo_page, distances = _on_photographs()
    bar(1.0)
    return stacked_pages([words_page, photo_page]), {"hue_error_degrees": errors, "palette_distance": distances}


def _by_words(stage: Stage, bar: Callable[..., None]) -> tuple[Image.Image, dict[str, float]]:
    """A red house repainted, and three times with words for another color; degrees from the true hue by color."""
    backend, seed = stage.backend, TEST_SEED + 90 + stage.seed
    factors = {"kind": "house", "ground": "grass", "time": "noon", "second": False}
    scene, look = random_scene(seed, color="red", **factors), random_look(STYLE, seed, "natural")
    content = picture(scene, random_look("photo", seed))
    style = picture(random_scene(seed + 1, kind="boat", ground="grass", time="noon"), look)
    options = preset("wallfacer", backend).changed(size_px=0, steps=STEPS, cfg=CAPTIONED_CFG)
    begins = schedule(backend.denoiser.sigmas, STEPS)[round(BEGINS * STEPS)]
    prompt = caption(scene, look)
    row, errors = [content, style], {}
    for k, name in enumerate(("", *COLORS)):
        edited = random_scene(seed, color=name or "red", **factors)
        concepts = (Concept(caption(edited, look), strength=STRENGTH),) if name else ()
        steering = ColorGuidance(concepts, sigma_high=begins)
        result = stylize(backend, [Content(content, prompt)], [style], options, seed=stage.seed, steering=steering)
        row.append(result.images[0].clamp(0, 1))
        if name:
            inside = (content - picture(edited, random_look("photo", seed))).abs().amax(0) > 0.08
            truth = picture(edited, look.reseeded(seed + 1))
            errors[name] = round(hue_difference(hue_of(row[-1], inside)[0], hue_of(truth, inside)[0]), 1)
        bar(0.8 * (k + 1) / (len(COLORS) + 1))
    labels = ["content", "style", "red", *(f"{name}, by words" for name in COLORS)]
    return sheet([row], labels, ["house"], cell_px=160, title="Another color, by words, while repainting"), errors


def _on_photographs() -> tuple[Image.Image | None, dict[str, Any]]:
    """A photograph led to a palette, with one swatch edited, and after another photograph; distances to the palette."""
    photos = installed_photographs(FILES, 320)
    if len(photos) < len(FILES):
        return None, {}
    first, other = photos.values()
    target, source = parse(SEA), extract(first, 6)
    reddest = int(source.colors[:, 1].argmax())
    colors = source.colors.clone()
    colors[reddest, 1:] = torch.tensor([-0.1, 0.08])
    one_edited = repalette(first, Palette(colors, source.shares), source=source)
    with_lightness = repalette(first, target, lightness=1.0)
    row = [first, repalette(first, target), with_lightness, one_edited, match(first, other)]
    labels = ["photograph", "a palette's hues", "light and dark too", "one swatch edited", "after the coffee"]
    distances = [round(palette_distance(extract(each, 6), target), 3) for each in (first, with_lightness)]
    small = [resize(each, 240, 240) for each in row]
    return sheet([small], labels, [""], cell_px=192, title="Colors of a photograph"), {"palette": distances}
