"""`stylize`: repaint pictures in the style of others."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ..errors import UserError
from .arguments import add_common, add_layout, add_output, add_text, add_transfer, transfer_options
from .checks import check_files, check_preset, check_targets, check_weights, unique_names
from .finish import add_finish, features_of, finish_of
from .lesson import add_lesson, check_lesson, learn_lesson, lesson_data
from .loading import check_sizes, load_guided, load_pictures
from .progress import Bars
from .transfer_words import add_words, check_words, prompts_of


def add(verbs: Any) -> None:
    """Declare the verb."""
    parser = verbs.add_parser(
        "stylize",
        help="repaint pictures in the style of others",
        description="Repaint every content picture in the style of the style pictures, which together make one style.",
    )
    parser.add_argument("--content", type=Path, nargs="+", required=True, metavar="IMG", help="what is repainted")
    parser.add_argument("--style", type=Path, nargs="+", default=[], metavar="IMG", help="how it is painted")
    parser.add_argument("--style-text", metavar="T", help="a style in words, instead of or beside --style")
    add_words(parser)
    add_lesson(parser)
    add_text(parser)
    add_output(parser)
    add_layout(add_transfer(parser))
    add_finish(parser)
    add_common(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, bars: Bars) -> dict[str, Any]:
    """Check, load, repaint, write."""
    targets = _checked_targets(args)
    contents = load_pictures(args.content, args.size, model=args.model)
    styles = load_pictures(args.style, args.size, model=args.model)

    from .. import transfer
    from ..files import write_files
    from ..models.lora import without_lora
    from ..pictures import png_bytes
    from ..transfer import Content, Models, StyleInput
    from ..transfer.presets import DIALED
    from ..transfer.word_guidance import by_read_words, guided_by_words

    name, freedom, features = check_preset(args), args.freedom, features_of(args)
    transfer_options(transfer.TransferOptions(), args)  # the ranges, before a model is loaded
    inputs = [*(picture.pixels for picture in styles), *([args.style_text] if args.style_text else [])]
    weights = args.style_weight or [1.0] * len(inputs)
    prompts, words = prompts_of(args, [picture.pixels for picture in contents], inputs, weights, bars)
    backend, plain = load_guided(args)
    lesson = learn_lesson(args, backend, [picture.pixels for picture in styles], bars)
    plain = plain if lesson is None else without_lora(backend, lesson.adapter)
    models = Models(backend, content=plain, unconditional=plain)
    if words and plain is None and args.preset is None:
        name, options = DIALED, by_read_words(models, freedom)
    else:
        options = transfer.preset(name, models, freedom or 0.0)
        if any(prompts):
            options = guided_by_words(options, bool(words), plain is not None, freedom is not None)
    options = transfer_options(options, args)
    if args.size is None:
        check_sizes([*contents, *styles], options.size_px or backend.native_size_px)
    result = transfer.stylize(
        models,
        [Content(picture.pixels, prompt) for picture, prompt in zip(contents, prompts, strict=True)],
        [StyleInput(style, weight) for style, weight in zip(inputs, weights, strict=True)],
        options,
        seed=args.seed,
        negative=args.negative,
        progress=bars("stylize"),
    )
    finish = finish_of(args, name, features, backend.codec, bars)
    images = finish.images(result.images, contents, list(zip(styles, weights)))
    write_files({target: png_bytes(image, picture.alpha) for target, image, picture in zip(targets, images, contents)})
    return {
        "written": targets,
        "model": backend.name,
        "family": backend.family,
        "preset": name,
        "seed": args.seed,
        "prompts": prompts,
        "words": words,
        "lesson": lesson_data(lesson),
        "options": options,
        "cost": result.cost,
        "seconds": round(result.seconds, 3),
        "fine_detail": finish.fine_detail,
        "second_pass": features and [finish.iterations, features.name],
        "sizes": [[image.shape[2], image.shape[1]] for image in images],
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
    names = unique_names([f"{path.stem}_in_{style_name}" for path in args.content])
    targets = [args.out / f"{name}.png" for name in names]
    check_targets(targets, [*args.content, *args.style])
    return targets
