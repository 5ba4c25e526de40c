"""`bench`: measure the embedded model (or another) against the truth; report.json and pictures."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ..files import check_folder
from ..measure.benches import BENCHES, bench_name
from ..measure.benches.real_pictures import RealPictures
from ..presets import PRESETS
from .argument_types import whole
from .arguments import add_common
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
        type=bench_name,
        choices=BENCHES,
        metavar="NAME",
        help="; ".join(f"{name}: {bench.help}" for name, bench in BENCHES.items()),
    )
    parser.add_argument("--out", type=Path, default=Path("out/bench"), metavar="DIR", help="default out/bench")
    parser.add_argument("--quick", action="store_true", help="a sixth of the pictures")
    parser.add_argument(
        "--seeds",
        type=whole(1, 100),
        metavar="N",
        help="how many seeds, from --seed on (transfer, unmatched, held-out: 1; fidelity: 3)",
    )
    parser.add_argument("--tune", action="store_true", help="on the pairs kept for tuning, over a grid of settings")
    _add_real(parser)
    add_common(parser)
    parser.set_defaults(run=run)


def _add_real(parser: argparse.ArgumentParser) -> None:
    """The options of `bench real`."""
    real, defaults = parser.add_argument_group("bench real"), RealPictures()
    for name in ("paintings", "photographs"):
        folder = getattr(defaults, name)
        real.add_argument(f"--{name}", type=Path, default=folder, metavar="DIR", help=f"default {folder}")
    real.add_argument("--all", action="store_true", help="all pictures of both folders, not 8 x 12")
    real.add_argument(
        "--presets", nargs="+", choices=PRESETS, default=defaults.presets, metavar="NAME", help="presets to measure"
    )
    real.add_argument(
        "--features",
        default=defaults.features,
        metavar="SOURCE",
        help="perceptual features, also of the other benches of transfers: vgg (weights of an installed package), "
        "embedded, or a file of VGG-19's weights in torchvision's layout",
    )


def run(args: argparse.Namespace, bars: Bars) -> dict[str, Any]:
    """Run it; the report is that of `swf_core.measure.benches.runner`."""
    check_folder(args.out)
    from ..measure.benches.runner import run_bench

    most = {"most_paintings": 10**6, "most_photographs": 10**6} if args.all else {}
    real = RealPictures(args.paintings, args.photographs, presets=tuple(args.presets), features=args.features, **most)
    return run_bench(
        args.name,
        args.out,
        model=args.model,
        quick=args.quick,
        tune=args.tune,
        seed=args.seed,
        seeds=args.seeds,
        progress=bars,
        real=real,
    )
