"""`sample`: pictures from words, in the style of a picture where one is given."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ..errors import UserError
from .argument_types import whole
from .arguments import add_common, add_output, add_text, add_transfer, transfer_options
from .checks import check_files, check_preset, check_targets, check_weights
from .loading import load_guided, load_pictures
from .progress import Bars


def add(verbs: Any) -> None:
    """Declare the verb."""
    parser = verbs.add_parser(
        "sample",
        help="pictures from words, in the style of a picture where one is given",
        description="Make pictures from a prompt; with --style, painted in the style of those pictures.",
    )
    parser.add_argument("--prompt", required=True, metavar="T", help="what the picture shows")
    parser.add_argument("--count", type=whole(1, 1000), default=1, metavar="N", help="how many (default 1)")
    parser.add_argument("--style", type=Path, nargs="+", default=[], metavar="IMG", help="how it is painted")
    add_text(parser)
    add_output(parser)
    add_transfer(parser)
    add_common(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, bars: Bars) -> dict[str, Any]:
    """Check, load, sample, write."""
    targets = _checked_targets(args)
    styles = load_pictures(args.style, args.size)

    from .. import transfer
    from ..files import write_files
    from ..pictures import png_bytes
    from ..transfer.word_guidance import CFG_WITH_PROMPT

    if args.cfg is None:
        args.cfg = 1.0 if args.few_steps else CFG_WITH_PROMPT
    name = check_preset(args) if args.style else None
    transfer_options(transfer.TransferOptions(), args)  # the ranges, before a model is loaded
    backend, plain = load_guided(args)
    models, progress = transfer.Models(backend, unconditional=plain), bars("sample")
    report: dict[str, Any] = {"model": backend.name, "family": backend.family, "seed": args.seed, "cfg": args.cfg}
    if name is None:
        images, seconds, results = _from_text(args, models, progress)
    else:
        options = transfer_options(transfer.preset(name, backend), args).without_content()
        images, seconds, results = _in_style(args, models, options, [picture.pixels for picture in styles], progress)
        report["preset"] = name
    write_files({target: png_bytes(image) for target, image in zip(targets, images)})
    return {"written": targets, **report, **results, "seconds": round(seconds, 3)}


def _checked_targets(args: argparse.Namespace) -> list[Path]:
    """The files to write; refuse what is wrong without reading a picture."""
    check_files(args)
    if not args.style:
        for option in ("preset", "tau", "strength", "layers", "style_weight"):
            if getattr(args, option) is not None:
                flag = option.replace("_", "-")
                raise UserError(f"--{flag} needs --style: without a style there is nothing to transfer.")
    check_weights(args.style_weight, len(args.style))
    targets = [args.out / f"sample_{args.seed}_{index:03d}.png" for index in range(args.count)]
    check_targets(targets, args.style)
    return targets


def _from_text(args: argparse.Namespace, models: Any, progress: Any) -> tuple[list[Any], float, dict[str, Any]]:
    """Plain sampling: the pictures, seconds, and what to report."""
    from ..presets import FEW_STEPS
    from ..transfer import SampleOptions, sample
    from ..transfer.defaults import STEPS

    chosen: dict[str, Any] = FEW_STEPS[args.few_steps].sampling if args.few_steps else {"steps": STEPS}
    chosen |= {"cfg": args.cfg, "size_px": args.size, "cfg_detail": args.cfg_detail or 0.0}
    if args.guidance_window:
        chosen |= dict(zip(("guidance_low", "guidance_high"), args.guidance_window))
    options = SampleOptions(**chosen | ({"steps": args.steps} if args.steps else {}))
    prompts = [args.prompt] * args.count
    result = sample(models, prompts, options, negative=args.negative, seed=args.seed, progress=progress)
    return result.images, result.seconds, {"steps": options.steps, "cost": result.cost}


def _in_style(
    args: argparse.Namespace, models: Any, options: Any, pictures: list[Any], progress: Any
) -> tuple[list[Any], float, dict[str, Any]]:
    """A transfer without content: the pictures, each with a seed of its own, seconds, and what to report."""
    from ..transfer import Content, StyleInput, stylize

    weights = args.style_weight or [1.0] * len(pictures)
    styles = [StyleInput(picture, weight) for picture, weight in zip(pictures, weights, strict=True)]
    images, costs, seconds = [], [], 0.0
    for index in range(args.count):
        result = stylize(
            models,
            [Content(None, args.prompt)],
            styles,
            options,
            seed=args.seed + index,
            negative=args.negative,
            progress=lambda value, preview=None, index=index: progress((index + value) / args.count, preview),
        )
        images.append(result.images[0])
        costs.append(result.cost)
        seconds += result.seconds
    return images, seconds, {"steps": options.steps, "options": options, "cost": costs[0]}
