"""The main job on the embedded model: pictures repainted in the style of others, with numbers against the truth."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..files import write_files
from ..measure.metrics.classifier import load_classifier
from ..measure.metrics.fidelity import WORDS_CFG, WORDS_SAID, compare, transfer
from ..measure.metrics.pairs import make_pairs, picture
from ..models import load
from ..pictures import png_bytes, resize, sheet
from ..transfer import preset, sample, stylize
from ..world import STYLE_WORDS, random_look, random_scene
from ..world.seeds import TEST_SEED
from . import color as demo_color
from . import learn as demo_learn
from . import words as demo_words

STYLES_SHOWN = ("stained glass", "woodcut", "watercolour", "mosaic", "comic", "pencil", "halftone", "ink")
TEXT_STYLES = ("oil", "stained glass", "woodcut", "papercut")
EDITS = ("", "a white car on the sand at sunset", "a blue car in the snow at night")
# One bar a stage: a callback of a value in 0..1.
Bars = Callable[[str], Callable[..., None]]


def run(out: Path, seed: int = 0, progress: Bars | None = None) -> dict[str, Any]:
    """Write `sheet.png` and `report.json` into `out` and return the report."""
    began = time.perf_counter()
    bars = progress or (lambda name: lambda value, *rest: None)
    backend, classifier = load("mini"), load_classifier()
    options = replace(preset("wallfacer", backend), size_px=0)

    pairs = make_pairs(len(STYLES_SHOWN), TEST_SEED + 1000 * (seed + 1), STYLES_SHOWN)
    words_page, told = demo_words.words(seed, bars("words"))
    learn_page, taught = demo_learn.learn(backend, classifier, seed, bars("learning a style"))
    bar = bars("image to image")
    settings = {
        "wallfacer": options,
        WORDS_SAID: options.changed(cfg=WORDS_CFG),
        "adain": replace(preset("adain", backend), size_px=0),
    }
    results = {
        name: transfer(backend, pairs, o, seed, lambda v, k=k: bar((k + v) / len(settings)), words=name == WORDS_SAID)
        for k, (name, o) in enumerate(settings.items())
    }
    shown = [results[name] for name in ("wallfacer", WORDS_SAID)]
    results |= {
        "content itself": torch.stack([p.content for p in pairs]),
        "another render of the truth": torch.stack([p.other for p in pairs]),
    }
    table = compare(pairs, classifier, results, "wallfacer", WORDS_SAID)
    transfer_sheet = sheet(
        [[p.content, p.style, *(r[i] for r in shown), p.truth] for i, p in enumerate(pairs)],
        ["content", "style", "result, pictures alone", "result, with a caption as prompt", "truth"],
        [p.look.style for p in pairs],
        cell_px=160,
        title="Repainted in the style of a picture",
    )

    bar = bars("text to image")
    rows: list[list[Tensor]] = []
    for k, style in enumerate(TEXT_STYLES):
        prompts = [
            f"{STYLE_WORDS[style][0]} of {c}"
            for c in (
                "a red house on the grass at noon",
                "a yellow boat by the sea at sunset",
                "a blue teapot on the sand at noon",
                "a white lighthouse in the snow at night",
            )
        ]
        rows.append(sample(backend, prompts, cfg=3.0, steps=20, seed=seed + k).images)
        bar((k + 1) / len(TEXT_STYLES))
    text_sheet = sheet(
        rows,
        [
            "red house, grass, noon",
            "yellow boat, sea, sunset",
            "blue teapot, sand, noon",
            "white lighthouse, snow, night",
        ],
        list(TEXT_STYLES),
        cell_px=160,
        title="From words alone",
    )

    bar = bars("image and text")
    edited, labels = _text_driven(backend, options, seed, bar)
    edit_sheet = sheet(
        edited,
        ["content", "style", *(e or "no words" for e in EDITS)],
        labels,
        cell_px=160,
        title="Repainted, with words in control",
    )

    color_pages, colored = demo_color.color(backend, seed, bars("colors"))

    bar = bars("photographs")
    photo_sheet = _photographs(backend, options, seed, bar)

    pages = (words_page, learn_page, transfer_sheet, edit_sheet, *color_pages, text_sheet, photo_sheet)
    page = _stack([s for s in pages if s is not None])
    seconds = round(time.perf_counter() - began, 1)
    report = {"out": str(out), "seed": seed, "words": told, "learning": taught, "transfer": table, "colors": colored}
    report["seconds"] = seconds
    write_files({out / "sheet.png": png_bytes(page), out / "report.json": json.dumps(report, indent=1).encode()})
    return report


def _text_driven(
    backend: Any, options: Any, seed: int, bar: Callable[..., None]
) -> tuple[list[list[Tensor]], list[str]]:
    """A car repainted in two styles, each with and without words that ask for another color, ground and hour."""
    rows, labels = [], []
    content = picture(
        random_scene(TEST_SEED + 77, kind="car", color="red", ground="grass", time="noon", second=False),
        random_look("photo", TEST_SEED + 77),
    )
    for k, style in enumerate(("stained glass", "comic")):
        look = random_look(style, TEST_SEED + 80 + k, "natural")
        reference = picture(random_scene(TEST_SEED + 80 + k, kind="tree", ground="grass", time="noon"), look)
        row = [content, reference]
        for j, words in enumerate(EDITS):
            prompt = f"{STYLE_WORDS[style][0]} of {words}" if words else ""
            dials = replace(options, cfg=5.0, adain=0.2, denoise=0.9) if words else options
            row += stylize(backend, [content], [reference], dials, seed=seed, prompts=prompt).images
            bar((k + (j + 1) / len(EDITS)) / 2)
        rows.append(row)
        labels.append(style)
    return rows, labels


def photographs() -> dict[str, Tensor]:
    """Photographs that come with scikit-image and that no model here was trained on, long side 256."""
    import skimage.data

    folder = Path(skimage.data.__file__).parent
    from ..pictures import load as load_picture

    return {
        name: load_picture(folder / file, 256).pixels
        for name, file in (("cat", "chelsea.png"), ("coffee", "coffee.png"))
        if (folder / file).exists()
    }


def _photographs(backend: Any, options: Any, seed: int, bar: Callable[..., None]) -> Any:
    """Real photographs after two painters' pictures and after each other."""
    found = photographs()
    if len(found) < 2:
        return None
    looks = ("stained glass", "strokes")
    # Strokes at the size the model knows: on a photograph twice as large they come out finer.
    references = [
        picture(random_scene(TEST_SEED + 300 + k), random_look(style, TEST_SEED + 300 + k, "natural"))
        for k, style in enumerate(looks)
    ]
    rows = []
    for k, (name, photo) in enumerate(found.items()):
        others = [p for n, p in found.items() if n != name]
        row = [photo]
        for j, reference in enumerate([*references, *others]):
            row += stylize(backend, [photo], [reference], options, seed=seed + j).images
            bar((k + (j + 1) / 3) / len(found))
        rows.append([_small(p) for p in row])
    rows.insert(0, [None, *[_small(r) for r in references], None])
    return sheet(
        rows,
        ["photograph", *(f"after {s}" for s in looks), "after the other photograph"],
        ["style", *found],
        cell_px=160,
        title="Real photographs",
    )


def _small(pixels: Tensor) -> Tensor:
    height, width = pixels.shape[1:]
    scale = 320 / max(height, width)
    return pixels if scale >= 1 else resize(pixels, round(height * scale), round(width * scale))


def _stack(sheets: list[Any]) -> Any:
    from PIL import Image

    width = max(s.width for s in sheets)
    page = Image.new("RGB", (width, sum(s.height for s in sheets)), "white")
    top = 0
    for s in sheets:
        page.paste(s, (0, top))
        top += s.height
    return page
