"""`stylize` of many pictures: the plan of them, and the worker that paints its groups."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import UserError
from .batches import do_batch, earlier_batch, settings_of, threads_of
from .checks import check_files, check_preset, check_targets, check_weights, names_apart
from .lesson import check_lesson, learn_lesson
from .loading import load_guided, load_pictures
from .progress import Bars, NoBars
from .transfer_words import MINI, check_words

if TYPE_CHECKING:
    from ..batch import Batch, Group, Outcome
    from .painting import Styles

GROUP_OF_MINI = 4  # contents in one call: a row costs 0.7 of a call of one (docs/figures.md)


def run_batch_of(args: argparse.Namespace, bars: Bars) -> dict[str, Any]:
    """Check, plan, do."""
    from .. import batch as batches
    from .. import pictures
    from ..batch import Manifest

    check_files(args)
    contents, styles = batches.expand(args.content), batches.expand(args.style)
    how = args.pairs or "each"
    _check(args, styles, how)
    record = Manifest(args.out)
    settings = settings_of(args) | {"pairs": how}
    before = earlier_batch(args, record, settings)
    pairs = batches.pair_up(contents, styles, how)
    outs = _outs(args, pairs, before)
    check_targets(outs, [*contents, *styles])
    for path in styles:  # one that cannot be read spoils many results
        pictures.check(path)
    if args.learn is not None:  # once, and kept for all workers
        shown = load_pictures(styles, args.size, model=args.model)
        learn_lesson(args, load_guided(args)[0], [picture.pixels for picture in shown], bars)
    mini = args.model == MINI
    plan = batches.plan(
        pairs,
        outs,
        partial(_working_size, args),
        settings,
        seed=args.seed,
        largest=args.group or (GROUP_OF_MINI if mini else 1),
        threads=threads_of(args, mini),
        before=before,
    )
    return do_batch(args, plan, record, partial(StylizeWorker, args), bars)


def _check(args: argparse.Namespace, styles: Sequence[Path], how: str) -> None:
    """Refuse what is wrong before anything is loaded."""
    if not styles and not args.style_text:
        raise UserError("No style was given; use --style IMG or --style-text T.")
    if how != "each" and not styles:
        raise UserError(f"--pairs {how} pairs pictures; give --style IMG.")
    if how != "each" and args.learn is not None:
        raise UserError("--learn learns one style; leave out --pairs, or --learn.")
    together = len(styles) if how == "each" else 1
    check_weights(args.style_weight, together + bool(args.style_text))
    check_preset(args)
    check_words(args)
    check_lesson(args)


def _outs(args: argparse.Namespace, pairs: Sequence[Any], before: Batch | None) -> list[Path]:
    """The file of each pair; of those that an earlier plan has, the one that it says."""
    known = {} if before is None else {(job.content, job.styles): job.out for job in before.jobs}
    taken = [out.stem for out in known.values() if out is not None]
    new = [pair for pair in pairs if pair not in known]
    said = [f"{content.stem}_in_{'+'.join(s.stem for s in styles[:3]) or 'text'}" for content, styles in new]
    names = dict(zip(new, names_apart(said, taken), strict=True))
    return [known.get(pair) or args.out / f"{names[pair]}.png" for pair in pairs]


def _working_size(args: argparse.Namespace, path: Path) -> tuple[int, int] | None:
    """Height and width that a content is painted at, in whole cells as far as one knows; None where it is broken."""
    from ..models.native_size import native_size_px
    from ..pictures import scaled, size_of

    try:
        height, width = size_of(path)
    except UserError:
        return None
    high, wide = scaled(height, width, args.size or native_size_px(args.model) or 1024)
    return high + -high % 8, wide + -wide % 8


class StylizeWorker:
    """Paints groups; the last group's styles stay, for the next ones are mostly in the same."""

    def __init__(self, args: argparse.Namespace):
        from .painting import Studio

        self._args, self._studio = args, Studio(args, NoBars())
        self._studio.guided()  # what is wrong with the model is said at once
        self._styles: tuple[tuple[Path, ...], Styles] | None = None

    def __call__(self, group: Group) -> Sequence[Outcome]:
        """See `batch.run.Worker`."""
        from ..batch import Outcome
        from ..batch.run import sentence_of
        from ..files import write_files
        from ..pictures import png_bytes

        began, jobs, contents, outcomes = time.perf_counter(), [], [], []
        for job in group.jobs:
            try:
                contents += load_pictures([job.content], self._args.size, model=self._args.model)
                jobs.append(job)
            except (ValueError, OSError) as error:
                outcomes.append(Outcome.of(job, group.number, 0.0, sentence_of(error)))
        if not jobs:
            return outcomes
        styles = self._in(group.jobs[0].styles)
        said = styles.read(contents, [job.content for job in jobs])
        painted = styles.paint(contents, said, [job.seed for job in jobs], last=False)
        for job, content, image in zip(jobs, contents, painted.images, strict=True):
            assert job.out is not None
            write_files({job.out: png_bytes(image, content.alpha)})
        seconds = (time.perf_counter() - began) / len(jobs)
        for job, prompt in zip(jobs, painted.prompts, strict=True):
            outcomes.append(Outcome.of(job, group.number, seconds, prompt=prompt))
        return outcomes

    def _in(self, paths: tuple[Path, ...]) -> Styles:
        if self._styles is None or self._styles[0] != paths:
            self._styles = None  # before the next is made: two banks are never there at once
            pictures = load_pictures(paths, self._args.size, model=self._args.model)
            self._styles = paths, self._studio.styles(pictures)
        return self._styles[1]
