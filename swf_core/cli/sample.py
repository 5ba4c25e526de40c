"""`sample`: pictures from words, in the style of a picture where one is given."""

from __future__ import annotations

import argparse
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
    whole,
)
from .progress import Bars

CFG = 4.0
STEPS = 30


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
    check_early(args)
    if not args.style:
        for dial in ("preset", "tau", "strength", "layers", "style_weight"):
            if getattr(args, dial) is not None:
                name = dial.replace("_", "-")
                raise UserError(f"--{name} needs --style: without a style there is nothing to transfer.")
    check_weights(args.style_weight, len(args.style))
    targets = [args.out / f"sample_{args.seed}_{index:03d}.png" for index in range(args.count)]
    check_targets(targets, args.style)
    looks = load_pictures(args.style, args.size)
    args.cfg = CFG if args.cfg is None else args.cfg

    from .. import transfer
    from ..files import write_files
    from ..pictures import png_bytes

    name = check_preset(args) if args.style else None
    dialled(transfer.TransferOptions(), args)
    backend, plain = load_guided(args)
    progress = bars("sample")
    report: dict[str, Any] = {"model": backend.name, "family": backend.family, "seed": args.seed, "cfg": args.cfg}
    if name is None:
        steps = args.steps or STEPS
        result = transfer.sample(
            backend,
            [args.prompt] * args.count,
            steps=steps,
            cfg=args.cfg,
            negative=args.negative,
            size_px=args.size,
            seed=args.seed,
            unconditional_model=plain,
            progress=progress,
        )
        images, seconds = result.images, result.seconds
        report |= {"steps": steps, "cost": result.cost}
    else:
        options = dialled(transfer.preset(name, backend), args)
        images, seconds, costs = _in_style(args, (backend, plain), options, looks, progress)
        report |= {"preset": name, "steps": options.steps, "options": options, "cost": costs[0]}
    write_files({target: png_bytes(image) for target, image in zip(targets, images)})
    return {"written": targets, **report, "seconds": round(seconds, 3)}


def _in_style(args: argparse.Namespace, models: tuple[Any, Any], options: Any, looks: list[Any], progress: Any) -> Any:
    """Transfer with no content: from noise, with no query of another picture. Each picture has a seed of its own."""
    import torch

    from .. import transfer

    backend, plain = models
    side = args.size or backend.native_size_px
    if side % backend.codec.downscale:
        raise UserError(f"--size is {side}; it must be a multiple of {backend.codec.downscale} here.")
    options = options.changed(
        gamma=0.0, gamma_end=None, gamma_schedule="constant", start="noise", denoise=1.0, spacing="leading"
    )
    nothing = torch.full((3, side, side), 0.5)
    images, costs, seconds = [], [], 0.0
    for index in range(args.count):
        result = transfer.stylize(
            backend,
            [nothing],
            [picture.pixels for picture in looks],
            options,
            seed=args.seed + index,
            prompts=args.prompt,
            negative=args.negative,
            style_weights=args.style_weight,
            unconditional_model=plain,
            progress=lambda value, preview=None, index=index: progress((index + value) / args.count, preview),
        )
        images.append(result.images[0])
        costs.append(result.cost)
        seconds += result.seconds
    return images, seconds, costs
