"""The demo's color stage: a transfer whose house changes color by words, and palettes and references on pictures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from ..color.concepts import Concept
from ..color.guidance import ColorGuidance
from ..color.match import match
from ..color.palette import extract, parse
from ..color.transport import palette_distance, repalette
from ..measure.benches.color_words import BEGINS, STEPS, STRENGTH, apart, hue_of
from ..measure.metrics.fidelity import WORDS_CFG
from ..measure.metrics.pairs import picture
from ..models.contracts import Backend
from ..pictures import load as load_picture
from ..pictures import resize, sheet
from ..transfer import preset, stylize
from ..transfer.sigmas import schedule
from ..world import caption, random_look, random_scene
from ..world.seeds import TEST_SEED

COLORS = ("blue", "green", "purple")
STYLE = "stained glass"
SEA = "#1d3557, #457b9d, #a8dadc, #f1faee, #e63946"


def color(backend: Backend, seed: int, bar: Callable[..., None]) -> tuple[list[Any], dict[str, Any]]:
    """Pages for the sheet, and the figures: hue errors against the truth, and how far a palette was reached."""
    at = TEST_SEED + 90 + seed
    fixed = {"kind": "house", "ground": "grass", "time": "noon", "second": False}
    scene, look = random_scene(at, color="red", **fixed), random_look(STYLE, at, "natural")
    content = picture(scene, random_look("photo", at))
    style = picture(random_scene(at + 1, kind="boat", ground="grass", time="noon"), look)
    options = preset("wallfacer", backend).changed(size_px=0, steps=STEPS, cfg=WORDS_CFG)
    begins = schedule(backend.denoiser.sigmas, STEPS)[round(BEGINS * STEPS)]
    row, errors = [content, style], {}
    for k, name in enumerate(("", *COLORS)):
        edited = random_scene(at, color=name or "red", **fixed)
        concepts = (Concept(caption(edited, look), strength=STRENGTH),) if name else ()
        steering = ColorGuidance(concepts, sigma_high=begins)
        run = stylize(backend, [content], [style], options, seed=seed, prompts=caption(scene, look), steering=steering)
        row.append(run.images[0].clamp(0, 1))
        if name:
            inside = (content - picture(edited, random_look("photo", at))).abs().amax(0) > 0.08
            truth = picture(edited, look.reseeded(at + 1))
            errors[name] = round(apart(hue_of(row[-1], inside)[0], hue_of(truth, inside)[0]), 1)
        bar(0.8 * (k + 1) / (len(COLORS) + 1))
    labels = ["content", "style", "red", *(f"{name}, by words" for name in COLORS)]
    pages = [sheet([row], labels, ["house"], cell_px=160, title="Another color, by words, while repainting")]
    photos, reached = _photographs()
    bar(1.0)
    return [*pages, *photos], {"hue_error_degrees": errors, "palette_distance": reached}


def _photographs() -> tuple[list[Any], dict[str, list[float]]]:
    """A photograph led to a palette, with one swatch edited, and after another photograph."""
    import skimage.data

    folder = Path(skimage.data.__file__).parent
    files = [folder / name for name in ("astronaut.png", "coffee.png")]
    if not all(file.exists() for file in files):
        return [], {}
    first, other = (load_picture(file, 320).pixels for file in files)
    target, source = parse(SEA), extract(first, 6)
    reddest = int(source.colors[:, 1].argmax())
    changed = source.colors.clone()
    changed[reddest, 1:] = torch.tensor([-0.1, 0.08])
    edited = repalette(first, type(source)(changed, source.shares), source=source)
    led = repalette(first, target, lightness=1.0)
    row = [first, repalette(first, target), led, edited, match(first, other)]
    labels = ["photograph", "a palette's hues", "light and dark too", "one swatch edited", "after the coffee"]
    ways = [round(palette_distance(extract(each, 6), target), 3) for each in (first, led)]
    small = [resize(each, 240, 240) for each in row]
    return [sheet([small], labels, [""], cell_px=192, title="Colors of a photograph")], {"palette": ways}
