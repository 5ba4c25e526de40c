"""What verbs share that take many pictures: the options of a batch, and doing it with this process or with others."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import UserError
from .argument_types import whole
from .progress import Bars

if TYPE_CHECKING:
    from ..batch import Batch, MakeWorker, Manifest
    from ..batch.run import Crew

# More pictures than these are a batch even where each is named, as a shell does with a pattern.
MOST_AT_ONCE = 8
# Arguments that decide nothing of what comes out.
_APART = {
    "verb",
    "run",
    "content",
    "style",
    "image",
    "images",
    "out",
    "json",
    "pairs",
    "workers",
    "ray",
    "restart",
    "style_cache",
}


def add_batch(parser: argparse.ArgumentParser, *, pairs: bool = False) -> None:
    """Add the options of a batch."""
    group = parser.add_argument_group(
        "many pictures",
        f"folders, patterns ('shots/*.jpg'), @lists (a text file of them), or more than {MOST_AT_ONCE} pictures: each "
        "is written when it is done, seeds come from names, and the same command continues what was stopped",
    )
    if pairs:
        group.add_argument(
            "--pairs",
            choices=("each", "zip", "product"),
            help="each (default): every content in all styles together; zip: the first in the first, the second in the "
            "second; product: every content in every style",
        )
    group.add_argument(
        "--workers", type=whole(1, 256), metavar="N", help="processes; default 1, the bytes are the same"
    )
    group.add_argument(
        "--threads",
        type=whole(1, 256),
        metavar="T",
        help="of each of them; default 1 with mini, else all; another number is other bytes",
    )
    group.add_argument("--group", type=whole(1, 64), metavar="G", help="pictures of equal size in one go; default 4, 1")
    group.add_argument(
        "--ray",
        metavar="auto|ADDRESS",
        help="actors of a Ray cluster instead of processes; auto: the one that runs here, else one for this run",
    )
    group.add_argument("--restart", action="store_true", help="begin a batch anew that was begun in --out before")


def is_batch(args: argparse.Namespace, given: Sequence[Path]) -> bool:
    """Whether the arguments ask for a batch."""
    from ..batch.inputs import means_many

    asked = any(getattr(args, name, None) for name in ("pairs", "workers", "threads", "group", "ray", "restart"))
    return asked or any(means_many(path) for path in given)


def settings_of(args: argparse.Namespace) -> dict[str, Any]:
    """What of the arguments decides the results, as JSON, a file that is read with its digest; and the version, for
    another one may paint otherwise."""
    from .. import __version__

    chosen = {
        key: value
        for key, value in vars(args).items()
        if key not in _APART and value is not None and value is not False
    }
    return {"version": __version__} | {key: _plain(value) for key, value in sorted(chosen.items())}


def _plain(value: Any) -> Any:
    from ..batch.jobs import file_digest

    if isinstance(value, Path):
        return f"{value} {file_digest(value)}".strip()
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value


def earlier_batch(args: argparse.Namespace, record: Manifest, settings: Mapping[str, Any]) -> Batch | None:
    """The batch that was begun in this folder and goes on; None where there is none, or with --restart.

    Raises UserError where it was begun with other settings.
    """
    if args.restart or not record.exists():
        return None
    before = record.plan()
    other = sorted(k for k in {*before.settings, *settings} if before.settings.get(k) != settings.get(k))
    if other:
        raise UserError(
            f"'{record.path.parent}' holds a batch with another {', '.join(other)}; choose another --out, or give "
            "--restart to begin it anew."
        )
    return before


def threads_of(args: argparse.Namespace, light: bool) -> int:
    """Threads of each worker: with a light model processes pay more than threads."""
    return args.threads or (1 if light else os.cpu_count() or 1)


def _crew(args: argparse.Namespace) -> Crew | None:
    from ..batch.processes import Processes
    from ..batch.ray_crew import RayCrew, import_ray

    if args.ray is not None:
        import_ray()  # before anything is planned on it
        return RayCrew(args.ray, args.workers)
    return Processes(args.workers) if (args.workers or 1) > 1 else None


def do_batch(
    args: argparse.Namespace, batch: Batch, record: Manifest, make_worker: MakeWorker, bars: Bars
) -> dict[str, Any]:
    """Do a batch and say how it went; the exit code is 1 where a picture failed."""
    from ..batch import run_batch

    crew = _crew(args)
    report = run_batch(batch, make_worker, record, crew=crew, anew=args.restart, progress=bars(args.verb))
    bars.close()
    for outcome in report.failed:
        bars.say(f"{outcome.content}: {outcome.error}")
    return {
        "written": [Path(outcome.out) for outcome in report.outcomes if outcome.out and outcome.error is None],
        "manifest": record.path,
        "jobs": len(report.outcomes),
        "done_now": report.done_now,
        "failed": [{"content": o.content, "styles": o.styles, "error": o.error} for o in report.failed],
        "seconds": round(report.seconds, 3),
        "exit": 1 if report.failed else 0,
    }
