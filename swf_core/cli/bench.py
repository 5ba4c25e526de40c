"""`bench`: measure the embedded model (or another) against the truth; report.json and pictures."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ..files import check_folder
from .options import add_common
from .progress import Bars


def add(verbs: Any) -> None:
    """Declare the verb."""
    parser = verbs.add_parser(
        "bench",
        help="measure against the truth",
        description="Measure on scenes and seeds that no model was trained on; writes NAME.json and NAME.png.",
    )
    parser.add_argument(
        "name",
        choices=(
            "world",
            "vae",
            "samples",
            "transfer",
            "unmatched",
            "held-out",
            "words",
            "captions",
            "learn",
            "gap",
            "taught",
            "feedback",
            "train-speed",
            "recolor",
            "color-words",
        ),
        help="world: speed of the painters, color histograms; vae: round trips; samples: text to image; transfer: "
        "matched pairs; unmatched: any pairs; held-out: styles never trained on; words: text during transfer; "
        "captions: the embedded captioner, stripping and the semantic gap; learn: held-out styles, each from one "
        "picture (learn.csv, a row a training; goes on where it stopped); gap: stripped against full captions there, "
        "five seeds; "
        "taught: pictures repainted with and without such a LoRA; feedback: rounds with picked samples and without; "
        "train-speed: beside diffusers' LoRA example; recolor: palettes and references on photographs, beside "
        "color-matcher; color-words: 'a blue house instead of a red one' during a transfer (color-words.csv)",
    )
    parser.add_argument("--out", type=Path, default=Path("out/bench"), metavar="DIR", help="default out/bench")
    parser.add_argument("--quick", action="store_true", help="a sixth of the pictures")
    parser.add_argument("--tune", action="store_true", help="on the pairs kept for tuning, over a grid of settings")
    add_common(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, bars: Bars) -> dict[str, Any]:
    """Run it; the report is that of `swf_core.measure.bench`."""
    check_folder(args.out)
    from ..measure.benches import transfer as bench

    return bench.run(
        args.name, args.out, model=args.model, quick=args.quick, tune=args.tune, seed=args.seed, progress=bars
    )
