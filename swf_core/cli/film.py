"""`film`: repaint a film in the style of pictures."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import UserError
from .argument_types import number, whole
from .arguments import add_common, add_layout, add_text, add_transfer
from .batches import settings_of
from .checks import check_model, check_targets, check_weights
from .finish import add_finish
from .lesson import add_lesson, check_lesson
from .loading import load_pictures
from .machine import add_style_cache
from .progress import Bars, NoBars
from .transfer_words import add_words, check_words

if TYPE_CHECKING:
    from torch import Tensor

    from ..film import Frame

FRAMES = 4  # in one call of the network
READ = slice(0, 25, 8)  # frames whose words are read


def add(verbs: Any) -> None:
    """Declare the verb."""
    parser = verbs.add_parser(
        "film",
        help="repaint a film in the style of pictures",
        description="Repaint every frame of a film. The styles are read once, words are what most of its first frames "
        "say, noise goes along with what moves, and a key frame is read by the frames after it, so that marks stay on "
        "their things. Times and sound are kept; the same command goes on after a stop.",
    )
    parser.add_argument("--content", type=Path, required=True, metavar="FILM", help="what is repainted")
    parser.add_argument("--style", type=Path, nargs="+", default=[], metavar="IMG", help="how it is painted")
    parser.add_argument("--style-text", metavar="T", help="a style in words, instead of or beside --style")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the film to write: .mp4, .mov or .mkv")
    parser.add_argument(
        "--size", type=whole(16, 8192), metavar="PX", help="long side of the result; default: the model's native size"
    )
    _add_frames(parser)
    add_words(parser)
    add_lesson(parser)
    add_text(parser)
    group = add_transfer(parser)
    add_style_cache(group)
    add_layout(group)
    add_finish(parser)
    add_common(parser)
    parser.set_defaults(run=run)


def _add_frames(parser: argparse.ArgumentParser) -> None:
    """The options of how frames hold together."""
    group = parser.add_argument_group("from frame to frame")
    group.add_argument(
        "--noise",
        choices=("flow", "still"),
        default="flow",
        help="flow: it follows the motion, which is estimated (default); still: all frames have the same",
    )
    group.add_argument(
        "--key-weight",
        type=number(0, 100),
        default=1.0,
        metavar="W",
        help="how much frames read of their key frame beside the style, which has 1; 0 is none, default 1. A shot's "
        "first frame is its key until less than half of it is still to be seen",
    )


def run(args: argparse.Namespace, bars: Bars) -> dict[str, Any]:
    """Check, load, repaint part by part, join."""
    from ..batch.jobs import file_digest
    from ..film import film_info, frames_of, retouch
    from ..film.writer import check_ending
    from ..pictures import Picture
    from ..transfer import FilmOptions, FilmPainter
    from ..words.picture_words import most_said
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
    painter = FilmPainter(FilmOptions(args.noise, args.key_weight), args.seed)
    info = film_info(args.content)
    pictures = load_pictures(args.style, args.size, model=args.model)
    styles = Studio(args, NoBars()).styles(pictures)

    def as_picture(frame: Frame) -> Any:
        return Picture(frame.pixels, None, args.content, (info.width, info.height))

    early = [as_picture(frame) for frame in islice(frames_of(args.content, 0, READ.stop), 0, None, READ.step)]
    prompts, words = styles.read(early, [args.content] * len(early))
    prompt = most_said(prompts)
    bars.say(f"prompt: {prompt or '(none)'}")

    def paint(frames: Sequence[Frame]) -> list[Tensor]:
        return styles.paint_frames([as_picture(frame) for frame in frames], prompt, bool(words), painter)

    looks = [f"{path} {file_digest(path)}" for path in args.style]
    settings = json.dumps(settings_of(args) | {"styles": looks, "prompt": prompt})
    retouch(args.content, args.out, paint, settings=settings, batch=FRAMES, carried=painter, progress=bars("film"))
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
