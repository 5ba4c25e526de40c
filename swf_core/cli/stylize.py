"""`stylize`: repaint pictures in the style of others."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ..errors import UserError
from .arguments import add_common, add_layout, add_output, add_text, add_transfer
from .batches import MOST_AT_ONCE, add_batch, is_batch
from .checks import check_files, check_targets, check_weights, names_apart
from .finish import add_finish
from .lesson import add_lesson, check_lesson, lesson_data
from .loading import load_pictures
from .machine import add_style_cache
from .progress import Bars
from .stylize_batch import run_batch_of
from .transfer_words import add_words, check_words


def add(verbs: Any) -> None:
    """Declare the verb."""
    parser = verbs.add_parser(
        "stylize",
        help="repaint pictures in the style of others",
        description="Repaint every content picture in the style of the style pictures, which together make one style. "
        "Many contents are a batch: written one by one, and continued by the same command.",
    )
    parser.add_argument(
        "--content",
        type=Path,
        nargs="+",
        required=True,
        metavar="IMG",
        help="what is repainted: files, folders, patterns, @lists",
    )
    parser.add_argument("--style", type=Path, nargs="+", default=[], metavar="IMG", help="how it is painted")
    parser.add_argument("--style-text", metavar="T", help="a style in words, instead of or beside --style")
    add_words(parser)
    add_lesson(parser)
    add_text(parser)
    add_output(parser)
    group = add_transfer(parser)
    add_style_cache(group)
    add_layout(group)
    add_finish(parser)
    add_batch(parser, pairs=True)
    add_common(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, bars: Bars) -> dict[str, Any]:
    """Check, load, repaint, write; many pictures as a batch."""
    if is_batch(args, [*args.content, *args.style]) or len(args.content) > MOST_AT_ONCE:
        return run_batch_of(args, bars)
    targets = _checked_targets(args)
    contents = load_pictures(args.content, args.size, model=args.model)
    pictures = load_pictures(args.style, args.size, model=args.model)

    from ..files import write_files
    from ..pictures import png_bytes
    from .painting import Studio

    studio = Studio(args, bars)
    styles = studio.styles(pictures)
    painted = styles.paint(contents, styles.read(contents, args.content), last=True)
    images = zip(targets, painted.images, contents, strict=True)
    write_files({target: png_bytes(image, picture.alpha) for target, image, picture in images})
    backend, _ = studio.guided()
    return {
        "written": targets,
        "model": backend.name,
        "family": backend.family,
        "preset": styles.preset,
        "seed": args.seed,
        "prompts": painted.prompts,
        "words": painted.words,
        "lesson": lesson_data(styles.lesson),
        "options": styles.options,
        "cost": painted.result.cost,
        "seconds": round(painted.result.seconds, 3),
        "fine_detail": styles.finish.fine_detail,
        "second_pass": studio.features and [styles.finish.iterations, studio.features.name],
        "sizes": [[image.shape[2], image.shape[1]] for image in painted.images],
    }


def _checked_targets(args: argparse.Namespace) -> list[Path]:
    """The files to write, one per content; refuse what is wrong without reading a picture."""
    check_files(args)
    if not args.style and not args.style_text:
        raise UserError("No style was given; use --style IMG or --style-text T.")
    check_weights(args.style_weight, len(args.style) + bool(args.style_text))
    check_words(args)
    check_lesson(args)
    style_name = "+".join(path.stem for path in args.style[:3]) or "text"
    names = names_apart([f"{path.stem}_in_{style_name}" for path in args.content])
    targets = [args.out / f"{name}.png" for name in names]
    check_targets(targets, [*args.content, *args.style])
    return targets
