"""The demo's photographs: real ones after two painters' pictures and after each other."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from ..color.fine_detail import with_fine_detail
from ..measure.metrics.pairs import picture
from ..pictures import load, resize, scaled, sheet
from ..presets import FINE_DETAIL
from ..transfer import stylize
from ..world import random_look, random_scene
from ..world.seeds import TEST_SEED
from .stage import Result, Stage

FILES = {"cat": "chelsea.png", "coffee": "coffee.png"}
STYLES = ("stained glass", "strokes")


def run(stage: Stage) -> Result:
    """A page, none where the photographs are not installed; nothing to report."""
    bar = stage.bars("photographs")
    photos = installed_photographs(FILES, 256)
    if len(photos) < len(FILES):
        return None, None
    # Strokes at the size the model knows: on a photograph twice as large they come out finer.
    references = [
        picture(random_scene(TEST_SEED + 300 + k), random_look(style, TEST_SEED + 300 + k, "natural"))
        for k, style in enumerate(STYLES)
    ]
    rows: list[list[Tensor | None]] = [[None, *[_small(r) for r in references], None]]
    for k, (name, photo) in enumerate(photos.items()):
        others = [p for n, p in photos.items() if n != name]
        row = [photo]
        for j, reference in enumerate([*references, *others]):
            image = stylize(stage.backend, [photo], [reference], stage.options, seed=stage.seed + j).images[0]
            row.append(with_fine_detail(image, photo, stage.backend.codec, FINE_DETAIL))
            bar((k + (j + 1) / 3) / len(photos))
        rows.append([_small(p) for p in row])
    page = sheet(
        rows,
        ["photograph", *(f"after {style}" for style in STYLES), "after the other photograph"],
        ["style", *photos],
        cell_px=160,
        title="Real photographs",
    )
    return page, None


def installed_photographs(files: dict[str, str], side_px: int) -> dict[str, Tensor]:
    """By name the photographs [3, H, W] that come with scikit-image; no model here was trained on them."""
    import skimage.data

    folder = Path(skimage.data.__file__).parent
    return {name: load(folder / file, side_px).pixels for name, file in files.items() if (folder / file).exists()}


def _small(pixels: Tensor) -> Tensor:
    """At most 320 pixels long."""
    height, width = pixels.shape[1:]
    return pixels if max(height, width) <= 320 else resize(pixels, *scaled(height, width, 320))
