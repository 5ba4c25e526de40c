"""`film`: repaint a film in the style of pictures."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import UserError
from .arguments import add_common, add_layout, add_text, add_transfer, whole
from .batches import settings_of
from .checks import check_model, check_targets, check_weights
from .finish import add_finish
from .lesson import add_lesson, check_lesson
from .loading import load_pictures
from .progress import Bars, NoBars
from .transfer_words import add_words, check_words

if TYPE_CHECKING:
    from torch import Tensor

    from ..film import Frame

FRAMES = 4  # in one call of the network


def add(verbs: Any) -> None:
    """Declare the verb."""
    parser = verbs.add_parser(
        "film",
        help="repaint a film in the style of pictures",
        description="Repaint every frame of a film. The styles are read once, words are read from the first frame, "
        "and all frames have one noise, so that what stands still stays. Times and sound are kept; the same command "
        "goes on after a stop.",
    )
    parser.add_argument("--content", type=Path, required=True, metavar="FILM", help="what is repainted")
    parser.add_argument("--style", type=Path, nargs="+", default=[], metavar="IMG", help="how it is painted")
    parser.add_argument("--style-text", metavar="T", help="a style in words, instead of or beside --style")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the film to write: .mp4, .mov or .mkv")
    parser.add_argument(
        "--size", type=whole(16, 8192), metavar="PX", help="long side of the result; default: the model's native size"
    )
    add_words(parser)
    add_lesson(parser)
    add_text(parser)
    add_layout(add_transfer(parser))
    add_finish(parser)
    add_common(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, bars: Bars) -> dict[str, Any]:
    """Check, load, repaint part by part, join."""
    from ..batch.jobs import file_digest
    from ..film import film_info, frames_of, retouch
    from ..film.writer import check_ending
    from ..pictures import Picture
    from .painting import Studio

    check_ending(args.out)
    check_model(args.model)
    if not args.style and not args.style_text:
        raise UserError("No style was given; use --style IMG or --style-text T.")
    check_weights(args.style_weight, len(args.style) + bool(args.style_text))
    check_words(args)
    if args.learn is not None and args.lessons is None:
        args.lessons = args.out.parent / "lessons"
    check_lesson(args)
    check_targets([args.out], [args.content, *args.style])
    info = film_info(args.content)
    pictures = load_pictures(args.style, args.size, model=args.model)
    styles = Studio(args, NoBars()).styles(pictures)

    def as_picture(frame: Frame) -> Any:
        return Picture(frame.pixels, None, args.content, (info.width, info.height))

    first = as_picture(next(iter(frames_of(args.content, 0, 1))))
    (prompt,), words = styles.read([first], [args.content])
    bars.say(f"prompt: {prompt or '(none)'}")

    def paint(frames: Sequence[Frame]) -> list[Tensor]:
        contents = [as_picture(frame) for frame in frames]
        return styles.paint(contents, ([prompt] * len(frames), words), last=False).images

    looks = [f"{path} {file_digest(path)}" for path in args.style]
    settings = json.dumps(settings_of(args) | {"styles": looks, "prompt": prompt})
    retouch(args.content, args.out, paint, settings=settings, batch=FRAMES, progress=bars("film"))
    result = film_info(args.out)
    return {
        "written": [args.out],
        "model": args.model,
        "seed": args.seed,
        "prompt": prompt,
        "words": words,
        "frames": result.frames,
        "size": [result.width, result.height],
        "sound": result.sound,
    }
