"""The command `pictures`: real paintings and photographs out of an installed package, for `bench real`."""

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
        "pictures",
        help="take real paintings and photographs out of an installed package, for bench real",
        description="Take 8 paintings and 62 photographs out of the Debian package gcompris-qt-data (apt install "
        "gcompris-qt-data) into DIR/paintings, DIR/photographs and DIR/more-photographs. Their licences stand in the "
        "package's copyright file; no model of this project is trained on them.",
    )
    parser.add_argument(
        "--rcc", type=Path, metavar="DIR", help="where details.rcc and explore_monuments.rcc lie; default: as installed"
    )
    parser.add_argument("--out", type=Path, default=Path("out/pictures"), metavar="DIR", help="default out/pictures")
    add_common(parser, model=False)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, bars: Bars) -> dict[str, Any]:
    """Run it; the report is that of `swf_core.pictures.taking_out.take_out`."""
    check_folder(args.out)
    from ..pictures.taking_out import INSTALLED, take_out

    report = take_out(args.rcc or INSTALLED, args.out)
    if report["unknown"]:
        bars.say(f"pictures: {len(report['unknown'])} are of another version of the package than the tests' list.")
    return report
