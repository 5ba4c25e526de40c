"""The lesson of `stylize --learn STEPS`: a LoRA of the style pictures, learnt before the transfer and kept."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import UserError
from ..files import check_folder
from .argument_types import whole
from .progress import Bars
from .stopping import BetweenSteps
from .transfer_words import MINI, stripped_captions

if TYPE_CHECKING:
    from torch import Tensor

    from ..learn.lesson import Lesson
    from ..models.contracts import Backend


def add_lesson(parser: argparse.ArgumentParser) -> None:
    """Add --learn and where lessons are kept."""
    group = parser.add_argument_group(
        "lesson", "learn the style first: the way for styles that the model does not know"
    )
    group.add_argument(
        "--learn",
        type=whole(20, 2000),
        metavar="STEPS",
        help="train a LoRA on the style pictures for that many steps, 60 to 200 with mini; kept for the next picture",
    )
    group.add_argument("--lessons", type=Path, metavar="DIR", help="where lessons are kept; default: OUT/lessons")
    group.add_argument(
        "--warm-start",
        action="store_true",
        help="begin from the kept lesson whose style is nearest, where there is one",
    )


def check_lesson(args: argparse.Namespace) -> None:
    """Refuse a lesson that cannot be, before anything is loaded."""
    if args.learn is None:
        if args.lessons is not None or args.warm_start:
            raise UserError("--lessons and --warm-start belong to a lesson; add --learn STEPS.")
        return
    if not args.style:
        raise UserError("A lesson needs pictures of the style; give --style IMG, or leave out --learn.")
    if args.lora is not None:
        raise UserError("--learn makes a LoRA of its own; leave out --lora, or --learn.")
    if args.captioner is None and args.model != MINI:
        raise UserError(
            "A lesson reads what the style pictures show, and only mini comes with a captioner; give --captioner "
            "FOLDER with the files of a BLIP."
        )
    check_folder(_bank(args), "--lessons")


def _bank(args: argparse.Namespace) -> Path:
    return args.lessons or args.out / "lessons"


def learn_lesson(args: argparse.Namespace, backend: Backend, styles: Sequence[Tensor], bars: Bars) -> Lesson | None:
    """The lesson that --learn asks for, its LoRA in the backend's network; None where none is asked for."""
    if args.learn is None:
        return None
    from ..learn.dataset import items_of
    from ..learn.lesson import learn_style, lesson_options

    items = items_of(styles, stripped_captions(args, styles))
    bar = bars("learn")
    with BetweenSteps() as stops:
        lesson = learn_style(
            backend,
            items,
            lesson_options(backend.family, args.learn, args.seed),
            _bank(args),
            warm=args.warm_start,
            announce=lambda seconds: bars.say(f"learning the style: {args.learn} steps, about {seconds:.0f} s"),
            report=lambda step, total, word, _: bar(step / total, word),
            check=stops.check,
        )
    if lesson.kept:
        bars.say(f"the style was learnt before: {lesson.folder}")
    return lesson


def lesson_data(lesson: Lesson | None) -> dict[str, Any] | None:
    """What is said of a lesson in --json."""
    if lesson is None:
        return None
    return {
        "folder": lesson.folder,
        "kept": lesson.kept,
        "seconds": round(lesson.seconds, 1),
        "began_from": lesson.began_from,
    }
