"""`bench`: measure the embedded model (or another) against the truth; report.json and pictures."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ..files import check_folder
from ..measure.benches import BENCHES, bench_name
from .arguments import add_common, whole
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
    add_common(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, bars: Bars) -> dict[str, Any]:
    """Run it; the report is that of `swf_core.measure.benches.runner`."""
    check_folder(args.out)
    from ..measure.benches.runner import run_bench

    return run_bench(
        args.name,
        args.out,
        model=args.model,
        quick=args.quick,
        tune=args.tune,
        seed=args.seed,
        seeds=args.seeds,
        progress=bars,
    )
