"""`stylize`: repaint pictures in the style of others."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import UserError
from .options import (
    add_common,
    add_output,
    add_text,
    add_transfer,
    check_early,
    check_preset,
    check_targets,
    check_weights,
    dialled,
    load_guided,
    load_pictures,
    number,
    unique,
)
from .progress import Bars

CFG_WITH_PROMPT = 4.0


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
    parser.add_argument("--prompt", default="", metavar="T", help="what the result should show")
    add_text(parser)
    add_output(parser)
    dials = add_transfer(parser)
    dials.add_argument("--gamma", type=number(0, 1), metavar="G", help="0: style's free hand; 1: content's own queries")
    add_common(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, bars: Bars) -> dict[str, Any]:
    """Check, load, repaint, write."""
    check_early(args)
    if not args.style and not args.style_text:
        raise UserError("No style was given; use --style IMG or --style-text T.")
    check_weights(args.style_weight, len(args.style) + bool(args.style_text))
    look = "+".join(path.stem for path in args.style[:3]) or "text"
    targets = [args.out / f"{name}.png" for name in unique([f"{path.stem}_in_{look}" for path in args.content])]
    check_targets(targets, [*args.content, *args.style])
    contents = load_pictures(args.content, args.size)
    looks = load_pictures(args.style, args.size)

    from .. import transfer
    from ..files import write_files
    from ..pictures import check_size, png_bytes

    name = check_preset(args)
    dialled(transfer.TransferOptions(), args)  # the ranges, before a model is loaded
    backend, plain = load_guided(args)
    options = dialled(transfer.preset(name, backend), args)
    if plain is not None and args.adain is None and name == "wallfacer":
        options = replace(options, adain=0.0)  # the LoRA brings the style's tones (docs/figures.md, bench taught)
    if args.prompt and args.cfg is None:
        options = replace(options, cfg=CFG_WITH_PROMPT)
    for picture in [*contents, *looks]:
        check_size(picture, options.size_px or backend.native_size_px)
    result = transfer.stylize(
        backend,
        [picture.pixels for picture in contents],
        [*(picture.pixels for picture in looks), *([args.style_text] if args.style_text else [])],
        options,
        seed=args.seed,
        prompts=args.prompt,
        negative=args.negative,
        style_weights=args.style_weight,
        content_model=plain,
        unconditional_model=plain,
        progress=bars("stylize"),
    )
    write_files(
        {target: png_bytes(image, picture.alpha) for target, image, picture in zip(targets, result.images, contents)}
    )
    return {
        "written": targets,
        "model": backend.name,
        "family": backend.family,
        "preset": name,
        "seed": args.seed,
        "options": options,
        "cost": result.cost,
        "seconds": round(result.seconds, 3),
        "sizes": [[image.shape[2], image.shape[1]] for image in result.images],
    }
