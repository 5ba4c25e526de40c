"""`pick`: the feedback round without a browser: list a run's samples, accept some, reject others."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from .argument_types import whole
from .arguments import add_common
from .progress import Bars


def add(verbs: Any) -> None:
    """Declare the verb."""
    parser = verbs.add_parser(
        "pick",
        help="choose samples of a run to learn from",
        description="Accepted samples join the data set at the next `train --more N`. Without a choice, list them.",
    )
    parser.add_argument("--run", dest="folder", type=Path, required=True, metavar="DIR", help="the run's folder")
    parser.add_argument("--accept", nargs="+", default=[], metavar="ID", help="accept these samples")
    parser.add_argument("--reject", nargs="+", default=[], metavar="ID", help="reject these samples")
    parser.add_argument("--forget", nargs="+", default=[], metavar="ID", help="take back the verdicts on these")
    parser.add_argument(
        "--caption",
        nargs=2,
        action="append",
        default=[],
        metavar=("ID", "TEXT"),
        help="what a sample shows in your own words; an empty text is its prompt again",
    )
    parser.add_argument(
        "--auto",
        type=whole(1, 100),
        metavar="N",
        help="accept the N best of the last evaluation: like the style, no copies, true to their prompts",
    )
    parser.add_argument("--clip", default="mini", metavar="mini|FOLDER", help="the CLIP that --auto looks with")
    parser.add_argument("--list", action="store_true", help="list the samples and the verdicts on them")
    add_common(parser, model=False)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, bars: Bars) -> dict[str, Any]:
    """Change picks.json, then list or report it."""
    from ..learn import picks
    from ..learn.run import open_run

    stored = open_run(args.folder)
    accept = list(args.accept)
    if args.auto:
        from ..words.clip import load_clip

        accept += [i for i in picks.auto_pick(stored, load_clip(args.clip), args.auto) if i not in args.reject]
    if accept or args.reject or args.forget:
        picks.set_verdict(stored.folder, accept, args.reject, args.forget)
    for name, text in args.caption:
        picks.set_caption(stored.folder, name, text)
    content = picks.read_picks(stored.folder)
    verdicts = dict.fromkeys(content["accepted"], "accepted") | dict.fromkeys(content["rejected"], "rejected")
    rows = [r | {"judged": verdicts.get(r["id"], "")} for r in stored.records("samples") if r["lora"]]
    if args.list or not (accept or args.reject or args.forget or args.caption):
        bars.close()
        if not args.json:
            for row in rows:
                caption = content["captions"].get(row["id"], row["prompt"])
                print(f"{row['id']}  step {row['step']:>6}  {row['judged']:8}  {row['file']}  {caption}")
    return {**content, "samples": rows}
