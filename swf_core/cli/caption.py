"""`caption`: what pictures show, in words, as JSON lines."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..files import check_folder
from .argument_types import number, whole
from .arguments import add_common
from .batches import MOST_AT_ONCE, add_batch, do_batch, earlier_batch, is_batch, settings_of, threads_of
from .loading import device_of, load_pictures
from .progress import Bars

if TYPE_CHECKING:
    from torch import Tensor

    from ..batch import Group, Outcome

EMBEDDED = "mini"


def add(verbs: Any) -> None:
    """Declare the verb."""
    parser = verbs.add_parser(
        "caption",
        help="what pictures show, in words",
        description="Caption pictures with BLIP and rank the candidates with CLIP; one JSON line a picture on stdout.",
    )
    parser.add_argument("images", type=Path, nargs="+", metavar="IMG", help="the pictures: files, folders, patterns")
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
    add_batch(parser)
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="keep the captions there, and go on with what was begun"
    )
    add_common(parser, model=False)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, bars: Bars) -> dict[str, Any]:
    """Check, load, caption, report; many pictures as a batch."""
    if is_batch(args, args.images) or args.out is not None or len(args.images) > MOST_AT_ONCE:
        rows, report = _batch_of(args, bars)
    else:
        pixels = [picture.pixels for picture in load_pictures(args.images, None)]
        rows, report = Captioning(args).rows(args.images, pixels, bars("caption")), {}
    bars.close()
    if not args.json:
        for row in rows:
            print(json.dumps(row, ensure_ascii=False), flush=True)
    return {"model": args.model, "clip": args.clip, "seed": args.seed, "captions": rows, **report}


def _batch_of(args: argparse.Namespace, bars: Bars) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """A row a picture, and how it went; kept in --out where one is given, so that what was stopped goes on."""
    import tempfile  # here: `--help` need not wait for what it imports

    from .. import batch as batches

    if args.out is not None:
        check_folder(args.out)
    images, settings = batches.expand(args.images), settings_of(args)
    with tempfile.TemporaryDirectory() as passing:
        record = batches.Manifest(args.out or Path(passing))
        plan = batches.plan(
            [(path, ()) for path in images],
            [None] * len(images),
            lambda path: None,
            settings,
            seed=args.seed,
            threads=threads_of(args, args.model == EMBEDDED),
            before=earlier_batch(args, record, settings),
        )
        report = do_batch(args, plan, record, partial(Captioning, args), bars)
        outcomes = record.outcomes()
    if args.out is None:
        del report["manifest"]
    wanted = {str(path) for path in images}
    said = [outcome for _, outcome in sorted(outcomes.items()) if outcome.content in wanted]
    rows = [{"image": o.content, **(o.data if o.error is None else {"error": o.error})} for o in said]
    return rows, report


class Captioning:
    """The captioner and the CLIP that the arguments name, and how they are used."""

    def __init__(self, args: argparse.Namespace):
        from ..words.caption import CaptionOptions, load_captioner
        from ..words.clip import load_clip

        device, self._seed = device_of(args.device), args.seed
        self._options = CaptionOptions(
            beams=args.beams, samples=args.samples, top_p=args.top_p, beginnings=tuple(args.begin), keep=args.keep
        )
        self._clip = None if args.clip == "none" else load_clip(args.clip, device, download=args.download)
        self._captioner = load_captioner(args.model, device, download=args.download)

    def __call__(self, group: Group) -> Sequence[Outcome]:
        """See `batch.run.Worker`; a picture at a time, so that no caption depends on the others'."""
        from ..batch import Outcome
        from ..batch.run import sentence_of

        outcomes = []
        for job in group.jobs:
            began, error, row = time.perf_counter(), None, {}
            try:
                (picture,) = load_pictures([job.content], None)
                (row,) = self.rows([job.content], [picture.pixels])
                del row["image"]
            except (ValueError, OSError) as fault:
                error = sentence_of(fault)
            outcomes.append(Outcome.of(job, group.number, time.perf_counter() - began, error, **row))
        return outcomes

    def rows(
        self, paths: Sequence[Path], pictures: Sequence[Tensor], progress: Callable[[float], None] | None = None
    ) -> list[dict[str, Any]]:
        """What is said of each picture [3, H, W]."""
        from ..words.caption import caption_pictures

        rows = []
        results = caption_pictures(self._captioner, pictures, self._options, self._clip, self._seed, progress)
        for path, result in zip(paths, results, strict=True):
            candidates = [{"caption": c.text, "score": c.score, "how": c.method} for c in result.candidates]
            row = {"image": str(path), "caption": result.caption, "candidates": candidates, "ranked": result.ranked}
            rows.append(row | ({"note": result.note} if result.note else {}))
        return rows
