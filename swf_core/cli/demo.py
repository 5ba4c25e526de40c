"""`demo`: the main job on the embedded model."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ..files import check_folder
from .arguments import add_common
from .progress import Bars


def add(verbs: Any) -> None:
    """Declare the verb."""
    parser = verbs.add_parser(
        "demo",
        help="the main job on the embedded model, with numbers",
        description="Repaint scenes and photographs in the style of others with the embedded model; "
        "writes sheet.png and report.json.",
    )
    parser.add_argument("--out", type=Path, default=Path("out/demo"), metavar="DIR", help="default out/demo")
    add_common(parser, model=False)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, bars: Bars) -> dict[str, Any]:
    """Run it; the report is that of `swf_core.demo`."""
    check_folder(args.out)
    from .. import demo

    return demo.run(args.out, args.seed, bars)
