"""The main job on the embedded model: pictures repainted in the style of others, with numbers against the truth.

One module a stage, each returning its page and its part of the report; this one puts them together.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from ..files import write_files
from ..measure.metrics.classifier import load_classifier
from ..models import load
from ..pictures import png_bytes
from . import color, learn, photographs, text, text_driven, transfer, words
from .stage import Bars, Stage, no_bars, stacked_pages


def run(out: Path, seed: int = 0, progress: Bars | None = None) -> dict[str, Any]:
    """Write `sheet.png` and `report.json` into `out` and return the report."""
    began = time.perf_counter()
    stage = Stage(load("mini"), load_classifier(), seed, progress or no_bars)
    words_page, captions = words.run(stage)
    learn_page, training = learn.run(stage)
    transfer_page, table = transfer.run(stage)
    text_page, _ = text.run(stage)
    edit_page, _ = text_driven.run(stage)
    color_page, colors = color.run(stage)
    photo_page, _ = photographs.run(stage)

    page = stacked_pages([words_page, learn_page, transfer_page, edit_page, color_page, text_page, photo_page])
    report = {
        "out": str(out),
        "seed": seed,
        "words": captions,
        "learning": training,
        "transfer": table,
        "colors": colors,
        "seconds": round(time.perf_counter() - began, 1),
    }
    write_files({out / "sheet.png": png_bytes(page), out / "report.json": json.dumps(report, indent=1).encode()})
    return report
