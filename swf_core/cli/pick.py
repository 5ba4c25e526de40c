"""`pick`: the feedback round without a browser: list a run's samples, take some, refuse others."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from .options import add_common, whole
from .progress import Bars


def add(verbs: Any) -> None:
    """Declare the verb."""
    parser = verbs.add_parser(
        "pick",
        help="choose samples of a run to learn from",
        description="Accepted samples join the data set at the next `train --more N`. Without a choice, list them.",
    )
    parser.add_argument("--run", dest="folder", type=Path, required=True, metavar="DIR", help="the run's folder")
    parser.add_argument("--accept", nargs="+", default=[], metavar="ID", help="take these samples")
    parser.add_argument("--reject", nargs="+", default=[], metavar="ID", help="refuse these samples")
    parser.add_argument("--forget", nargs="+", default=[], metavar="ID", help="take back what was said of these")
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
        help="take the N best of the last look: like the style, no copies, true to their prompts",
    )
    parser.add_argument("--clip", default="mini", metavar="mini|FOLDER", help="the CLIP that --auto looks with")
    parser.add_argument("--list", action="store_true", help="list the samples and what was said of them")
    add_common(parser, model=False)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, bars: Bars) -> dict[str, Any]:
    """Judge, then tell."""
    from ..learn import picks
    from ..learn.run import open_run

    job = open_run(args.folder)
    accept = list(args.accept)
    if args.auto:
        from ..words.clip import load_clip

        accept += [i for i in picks.auto_pick(job, load_clip(args.clip), args.auto) if i not in args.reject]
    if accept or args.reject or args.forget:
        picks.judge(job.folder, accept, args.reject, args.forget)
    for name, text in args.caption:
        picks.recaption(job.folder, name, text)
    told = picks.read(job.folder)
    said = dict.fromkeys(told["accepted"], "accepted") | dict.fromkeys(told["rejected"], "rejected")
    rows = [r | {"judged": said.get(r["id"], "")} for r in job.records("samples") if r["lora"]]
    if args.list or not (accept or args.reject or args.forget or args.caption):
        bars.close()
        if not args.json:
            for row in rows:
                caption = told["captions"].get(row["id"], row["prompt"])
                print(f"{row['id']}  step {row['step']:>6}  {row['judged']:8}  {row['file']}  {caption}")
    return {**told, "samples": rows}
