"""`recolor`: change the colors of a picture by a palette, after a reference, or by words."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ..color.methods import METHODS
from ..errors import UserError
from .arguments import add_common, file_path, number, whole
from .checks import check_model, check_targets
from .loading import check_sizes, load_backend, load_pictures
from .progress import Bars

PROMPT_STEPS, PROMPT_BEGIN = 30, 0.45


def add(verbs: Any) -> None:
    """Declare the verb."""
    parser = verbs.add_parser(
        "recolor",
        help="change the colors of a picture",
        description="Change the colors of a picture by a palette or after another picture (no model is used), or by "
        "words (the model paints it again). Drawing and shading stay.",
    )
    parser.add_argument("--image", type=Path, required=True, metavar="IMG", help="what is recolored")
    parser.add_argument(
        "--palette",
        metavar="C,...",
        help="hex codes or CSS names, with shares if you like ('navy 60%%, gold 40%%'), or edits of the picture's own "
        "colors ('#a63f1b -> #1d3557, ...')",
    )
    parser.add_argument("--like", type=Path, metavar="IMG", help="the picture whose colors are taken")
    parser.add_argument(
        "--prompt", nargs="+", metavar="T", help="'red house -> blue house', or 'a blue house' alone; several at will"
    )
    parser.add_argument("--mask", type=Path, metavar="IMG", help="where: white is changed, black stays as it is")
    parser.add_argument("--out", type=file_path, required=True, metavar="FILE", help="the picture to write")
    parser.add_argument("--strength", type=number(0, 1), default=1.0, metavar="S", help="0 is the picture as it is")
    parser.add_argument(
        "--lightness",
        type=number(0, 1),
        default=0.0,
        metavar="L",
        help="of a palette: 0 (default) takes its hues alone, 1 its light and dark too; edits are taken as written",
    )
    parser.add_argument("--method", choices=METHODS, default="linear", help="of --like; default linear")
    parser.add_argument("--words-strength", type=number(0, 20), default=3.0, metavar="W", help="of --prompt; default 3")
    parser.add_argument("--colors", type=whole(1, 32), default=6, metavar="K", help="colors in the report; default 6")
    parser.add_argument("--steps", type=whole(1, 999), default=PROMPT_STEPS, metavar="N", help="--prompt; default 30")
    parser.add_argument(
        "--size", type=whole(16, 8192), metavar="PX", help="long side, of --prompt the model's native size"
    )
    add_common(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, bars: Bars) -> dict[str, Any]:
    """Check, load, recolor, write."""
    modes = [name for name in ("palette", "like", "prompt") if getattr(args, name) is not None]
    if len(modes) != 1:
        raise UserError(
            f"{' and '.join('--' + w for w in modes) or 'Nothing'} was given; give one of --palette, --like "
            "and --prompt."
        )
    if args.out.suffix.lower() != ".png":
        raise UserError(f"'{args.out}' is no .png file; results are written as PNG.")
    sources = [path for path in (args.image, args.like, args.mask) if path is not None]
    check_targets([args.out], sources)
    check_model(args.model)

    from .. import pictures
    from ..color.concepts import parse_concepts
    from ..color.match import match
    from ..color.palette import extract
    from ..color.palette_text import read_palette
    from ..color.transport import palette_distance, repalette

    palettes = read_palette(args.palette) if args.palette is not None else None
    concepts = parse_concepts("\n".join(args.prompt), args.words_strength * args.strength) if args.prompt else []
    for path in sources:
        pictures.check(path)
    if args.prompt:
        (picture,) = load_pictures([args.image], args.size, model=args.model)
    else:
        picture = pictures.load(args.image, args.size)
    mask = None if args.mask is None else _mask(args.mask, picture.pixels)
    report: dict[str, Any] = {"way": modes[0], "strength": args.strength, "seed": args.seed}
    if palettes is not None:
        source, target = palettes
        result = repalette(
            picture.pixels, target, source=source, lightness=args.lightness, strength=args.strength, mask=mask
        )
        before, after = (extract(p, max(args.colors, len(target)), mask) for p in (picture.pixels, result))
        report["palette_distance"] = [round(palette_distance(p, target), 4) for p in (before, after)]
    elif args.like is not None:
        like = pictures.load(args.like, args.size or 2048)
        result = match(picture.pixels, like.pixels, args.method, strength=args.strength, mask=mask)
        report["method"] = args.method
    else:
        result, report["cost"] = _by_prompt(args, concepts, picture, mask, bars)
    report["palette"] = {"before": _palette_rows(picture.pixels, args), "after": _palette_rows(result, args)}
    pictures.save(args.out, result, picture.alpha)
    return {"written": [args.out], **report, "size": [result.shape[2], result.shape[1]]}


def _by_prompt(args: argparse.Namespace, concepts: list[Any], picture: Any, mask: Any, bars: Bars) -> tuple[Any, Any]:
    """The picture inverted and sampled again, with nothing injected but what the words change; and the cost of it.

    Outside the mask, and at strength 0, it is the picture itself, not the model's copy of it.
    """
    from dataclasses import replace

    from ..color.guidance import ColorGuidance
    from ..masks import resize_mask
    from ..pictures import resize
    from ..transfer import preset, stylize
    from ..transfer.sigmas import schedule

    if args.strength == 0.0:
        return picture.pixels, None
    concepts = [replace(concept, mask=mask) for concept in concepts]
    backend = load_backend(args)
    begins = schedule(backend.denoiser.sigmas, args.steps)[round(PROMPT_BEGIN * (args.steps - 1))]
    options = preset("wallfacer", backend).changed(
        strength=0.0, adain=0.0, steps=args.steps, refinements=1, size_px=args.size
    )
    if args.size is None:
        check_sizes([picture], backend.native_size_px)
    result = stylize(
        backend,
        [picture.pixels],
        [picture.pixels],
        options,
        seed=args.seed,
        steering=ColorGuidance(tuple(concepts), sigma_high=begins),
        progress=bars("recolor"),
    )
    image = result.images[0].cpu()
    if mask is None:
        return image, result.cost
    height, width = image.shape[1:]
    own, weight = resize(picture.pixels, height, width), resize_mask(mask, (height, width))
    return own + weight * (image - own), result.cost


def _mask(path: Path, pixels: Any) -> Any:
    """A mask picture at the picture's size."""
    from .. import pictures
    from ..masks import resize_mask

    return resize_mask(pictures.load(path).pixels.mean(0), (pixels.shape[1], pixels.shape[2]))


def _palette_rows(pixels: Any, args: argparse.Namespace) -> list[dict[str, Any]]:
    """A picture's colors, within the mask at its own size."""
    from ..color.palette import extract

    palette = extract(pixels, args.colors, None if args.mask is None else _mask(args.mask, pixels))
    return [{"color": c, "share": round(float(s), 4)} for c, s in zip(palette.codes, palette.weights())]
