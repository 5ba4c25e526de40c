"""`recolor`: change the colors of a picture by a palette, after a reference, or by words."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..color.methods import METHODS
from ..errors import UserError
from ..files import check_folder
from .argument_types import number, picture_or_folder, whole
from .arguments import add_common
from .batches import add_batch, do_batch, earlier_batch, is_batch, settings_of, threads_of
from .checks import check_model, check_targets, names_apart
from .loading import check_sizes, load_backend, load_pictures
from .progress import Bars, NoBars

if TYPE_CHECKING:
    from ..batch import Group, Outcome

PROMPT_STEPS, PROMPT_BEGIN = 30, 0.45


def add(verbs: Any) -> None:
    """Declare the verb."""
    parser = verbs.add_parser(
        "recolor",
        help="change the colors of a picture",
        description="Change the colors of a picture by a palette or after another picture (no model is used), or by "
        "words (the model paints it again). Drawing and shading stay.",
    )
    parser.add_argument(
        "--image",
        type=Path,
        nargs="+",
        required=True,
        metavar="IMG",
        help="what is recolored: files, folders, patterns",
    )
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
    parser.add_argument(
        "--out",
        type=picture_or_folder,
        required=True,
        metavar="FILE|DIR",
        help="the picture to write; of many, a folder",
    )
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
    add_batch(parser)
    add_common(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, bars: Bars) -> dict[str, Any]:
    """Check, load, recolor, write; many pictures as a batch."""
    modes = [name for name in ("palette", "like", "prompt") if getattr(args, name) is not None]
    if len(modes) != 1:
        raise UserError(
            f"{' and '.join('--' + w for w in modes) or 'Nothing'} was given; give one of --palette, --like "
            "and --prompt."
        )
    check_model(args.model)
    if is_batch(args, args.image) or len(args.image) > 1:
        return _run_batch(args, bars)
    if args.out.suffix.lower() != ".png":
        raise UserError(f"'{args.out}' is no .png file; results are written as PNG.")
    check_targets([args.out], [*args.image, *_others(args)])
    return {"written": [args.out], **Recoloring(args, bars).recolor(args.image[0], args.out)}


def _run_batch(args: argparse.Namespace, bars: Bars) -> dict[str, Any]:
    from functools import partial

    from .. import batch as batches

    check_folder(args.out)
    images, record, settings = batches.expand(args.image), batches.Manifest(args.out), settings_of(args)
    before = earlier_batch(args, record, settings)
    known = {} if before is None else {job.content: job.out for job in before.jobs if job.out}
    new = [path for path in images if path not in known]
    names = names_apart([f"{path.stem}_recolored" for path in new], [out.stem for out in known.values()])
    outs = known | {path: args.out / f"{name}.png" for path, name in zip(new, names, strict=True)}
    check_targets([outs[path] for path in images], [*images, *_others(args)])
    plan = batches.plan(
        [(path, ()) for path in images],
        [outs[path] for path in images],
        lambda path: None,
        settings,
        seed=args.seed,
        threads=threads_of(args, light=True),
        before=before,
    )
    return do_batch(args, plan, record, partial(Recoloring, args), bars)


def _others(args: argparse.Namespace) -> list[Path]:
    """The pictures that are read beside those that are recolored."""
    return [path for path in (args.like, args.mask) if path is not None]


class Recoloring:
    """What the arguments ask for, read once: a palette, a picture whose colors are taken, or words."""

    def __init__(self, args: argparse.Namespace, bars: Bars | None = None):
        from .. import pictures
        from ..color.concepts import parse_concepts
        from ..color.palette_text import read_palette

        self._args, self._bars = args, bars or NoBars()
        self._palettes = read_palette(args.palette) if args.palette is not None else None
        words = "\n".join(args.prompt) if args.prompt else ""
        self._concepts = parse_concepts(words, args.words_strength * args.strength) if words else []
        for path in _others(args):
            pictures.check(path)
        self._like = None if args.like is None else pictures.load(args.like, args.size or 2048).pixels
        self._backend: Any = None

    def __call__(self, group: Group) -> Sequence[Outcome]:
        """See `batch.run.Worker`."""
        from ..batch import Outcome
        from ..batch.run import sentence_of

        outcomes = []
        for job in group.jobs:
            began, error, report = time.perf_counter(), None, {}
            try:
                assert job.out is not None
                report = self.recolor(job.content, job.out, job.seed)
                report.pop("cost", None)  # of the run, not of the picture
            except (ValueError, OSError) as fault:
                error = sentence_of(fault)
            outcomes.append(Outcome.of(job, group.number, time.perf_counter() - began, error, **report))
        return outcomes

    def recolor(self, path: Path, out: Path, seed: int | None = None) -> dict[str, Any]:
        """Recolor one picture into a file, and say what was done; `seed`: of words, None for the run's."""
        from .. import pictures
        from ..color.match import match
        from ..color.palette import extract
        from ..color.transport import palette_distance, repalette

        args = self._args
        if args.prompt:
            (picture,) = load_pictures([path], args.size, model=args.model)
        else:
            picture = pictures.load(path, args.size)
        mask = None if args.mask is None else _mask(args.mask, picture.pixels)
        drawn_by = args.seed if seed is None else seed
        report: dict[str, Any] = {"strength": args.strength, "seed": drawn_by}
        if self._palettes is not None:
            report["way"], (source, target) = "palette", self._palettes
            result = repalette(
                picture.pixels, target, source=source, lightness=args.lightness, strength=args.strength, mask=mask
            )
            before, after = (extract(p, max(args.colors, len(target)), mask) for p in (picture.pixels, result))
            report["palette_distance"] = [round(palette_distance(p, target), 4) for p in (before, after)]
        elif self._like is not None:
            report["way"], report["method"] = "like", args.method
            result = match(picture.pixels, self._like, args.method, strength=args.strength, mask=mask)
        else:
            report["way"] = "prompt"
            result, report["cost"] = self._by_prompt(picture, mask, drawn_by)
        report["palette"] = {"before": _palette_rows(picture.pixels, args), "after": _palette_rows(result, args)}
        pictures.save(out, result, picture.alpha)
        return {**report, "size": [result.shape[2], result.shape[1]]}

    def _by_prompt(self, picture: Any, mask: Any, seed: int) -> tuple[Any, Any]:
        """The picture inverted and sampled again, with nothing injected but what the words change; and the cost of it.

        Outside the mask, and at strength 0, it is the picture itself, not the model's copy of it.
        """
        from dataclasses import replace

        from ..color.guidance import ColorGuidance
        from ..masks import resize_mask
        from ..pictures import resize
        from ..transfer import preset, stylize
        from ..transfer.sigmas import schedule

        args = self._args
        if args.strength == 0.0:
            return picture.pixels, None
        concepts = [replace(concept, mask=mask) for concept in self._concepts]
        backend = self._backend = self._backend or load_backend(args)
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
            seed=seed,
            steering=ColorGuidance(tuple(concepts), sigma_high=begins),
            progress=self._bars("recolor"),
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
