"""The command `mini build`: train the embedded model again, from nothing."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from ..files import check_folder
from .argument_types import whole
from .arguments import add_common
from .progress import Bars


def add(verbs: Any) -> None:
    """Declare the verb."""
    parser = verbs.add_parser("mini", help="the embedded model: mini build trains it from nothing")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True, parser_class=type(parser))
    build = actions.add_parser(
        "build",
        help="train the embedded family from nothing",
        description="Train the embedded family (autoencoder, text encoder, UNet, classifier, captioner, CLIP) from "
        "nothing on the procedural world. Every stage is saved and can be resumed: run it again to continue.",
    )
    build.add_argument("--out", type=Path, required=True, metavar="DIR", help="the folder to write into")
    build.add_argument("--stages", nargs="+", metavar="NAME", help="only these stages; default: all unfinished ones")
    build.add_argument("--no-resume", dest="resume", action="store_false", help="start over instead of resuming")
    build.add_argument("--seconds", type=whole(1, 10**7), metavar="S", help="stop each stage after this long")
    build.add_argument(
        "--pictures",
        type=Path,
        metavar="FOLDER",
        help="packages whose pictures mini-flow's stages learn from, each unpacked in a folder of its name",
    )
    add_common(build, model=False)
    build.set_defaults(run=run)


def run(args: argparse.Namespace, bars: Bars) -> dict[str, Any]:
    """Run it; the report is that of `swf_core.mini_build.build.build_family`."""
    check_folder(args.out)
    import torch

    from ..mini_build.build import build_family

    torch.set_num_threads(os.cpu_count() or 1)
    options = {"stages": args.stages, "resume": args.resume, "max_seconds": args.seconds, "seed": args.seed}
    return build_family(args.out, progress=bars, packages=args.pictures, **options)
