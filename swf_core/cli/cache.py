"""`cache`: what `stylize --style-cache` keeps of style pictures, shown and cleared."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ..errors import UserError
from .arguments import add_common
from .progress import Bars


def add(verbs: Any) -> None:
    """Declare the verb."""
    parser = verbs.add_parser(
        "cache",
        help="what stylize --style-cache keeps, and clearing it",
        description="Say how many style pictures a folder of stylize --style-cache keeps and how large they are; "
        "--clear drops them. Nothing else in the folder is touched.",
    )
    parser.add_argument("folder", type=Path, metavar="DIR", help="the folder given to --style-cache")
    parser.add_argument("--clear", action="store_true", help="drop them all")
    add_common(parser, model=False)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, bars: Bars) -> dict[str, Any]:
    """Look, and clear where that was asked for."""
    if not args.folder.is_dir():
        raise UserError(f"The folder '{args.folder}' does not exist; give the one of stylize --style-cache.")
    from ..transfer.reference_cache import ReferenceCache

    cache = ReferenceCache(args.folder)
    files = cache.files()
    size = sum(path.stat().st_size for path in files)
    if args.clear:
        cache.clear()
    bars.say(f"cache: {len(files)} style pictures, {size / 1e6:.1f} MB{', dropped' if args.clear else ''}")
    return {"folder": args.folder, "pictures": len(files), "bytes": size, "cleared": args.clear}
