"""`caption`: what pictures show, in words, as JSON lines."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from .arguments import add_common, number, whole
from .loading import device_of, load_pictures
from .progress import Bars


def add(verbs: Any) -> None:
    """Declare the verb."""
    parser = verbs.add_parser(
        "caption",
        help="what pictures show, in words",
        description="Caption pictures with BLIP and rank the candidates with CLIP; one JSON line a picture on stdout.",
    )
    parser.add_argument("images", type=Path, nargs="+", metavar="IMG", help="the pictures")
    parser.add_argument(
        "--model",
        default="mini",
        metavar="mini|FOLDER",
        help="the embedded captioner (it knows its small world), or a folder with the files of a BLIP; default mini",
    )
    parser.add_argument(
        "--clip",
        default="mini",
        metavar="mini|FOLDER|none",
        help="ranks the candidates: the embedded CLIP, a folder with a whole CLIP, or none; default mini",
    )
    parser.add_argument(
        "--download",
        action="store_true",
        help="--model and --clip may name models of the hub, which are downloaded",
    )
    parser.add_argument("--beams", type=whole(1, 16), default=5, metavar="N", help="width of the search (default 5)")
    parser.add_argument("--samples", type=whole(0, 32), default=6, metavar="N", help="captions drawn (default 6)")
    parser.add_argument(
        "--top-p",
        type=number(0, 1, above=True),
        default=0.9,
        metavar="P",
        help="their nucleus (default 0.9)",
    )
    parser.add_argument(
        "--begin",
        nargs="+",
        default=["", "a painting of"],
        metavar="T",
        help='how captions begin; "" leaves it open (default: both "" and "a painting of")',
    )
    parser.add_argument("--keep", type=whole(1, 100), default=5, metavar="N", help="candidates reported (default 5)")
    parser.add_argument("--device", default="auto", help="cpu, cuda, mps, ...; default: a GPU where there is one")
    add_common(parser, model=False)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, bars: Bars) -> dict[str, Any]:
    """Check, load, caption, report."""
    pictures = load_pictures(args.images, None)

    from ..words.caption import CaptionOptions, caption_pictures, load_captioner
    from ..words.clip import load_clip

    device = device_of(args.device)
    options = CaptionOptions(
        beams=args.beams, samples=args.samples, top_p=args.top_p, beginnings=tuple(args.begin), keep=args.keep
    )
    clip = None if args.clip == "none" else load_clip(args.clip, device, download=args.download)
    captioner = load_captioner(args.model, device, download=args.download)
    results = caption_pictures(captioner, [p.pixels for p in pictures], options, clip, args.seed, bars("caption"))
    rows = []
    for path, result in zip(args.images, results):
        candidates = [{"caption": c.text, "score": c.score, "how": c.method} for c in result.candidates]
        line = {"image": str(path), "caption": result.caption, "candidates": candidates, "ranked": result.ranked}
        rows.append(line | ({"note": result.note} if result.note else {}))
    bars.close()
    if not args.json:
        for line in rows:
            print(json.dumps(line, ensure_ascii=False), flush=True)
    return {"model": captioner.name, "clip": args.clip, "seed": args.seed, "captions": rows}
