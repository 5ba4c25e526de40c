"""`train`: teach a model a style from one picture or a few, and go on with a run."""

from __future__ import annotations

import argparse
import signal
from pathlib import Path
from typing import Any

from ..errors import UserError
from .options import add_common, check_model, device_of, load_pictures, number, whole
from .progress import Bars

# Options of a training that have a flag of their own, and how each is read.
DIALS: dict[str, Any] = {
    "rank": whole(1, 512),
    "alpha": number(0, 4096),
    "learning_rate": number(0, 1, above=True),
    "schedule": str,
    "targets": str,
    "warm_up": whole(0, 100_000),
    "batch": whole(1, 256),
    "accumulate": whole(1, 256),
    "caption_dropout": number(0, 1),
    "loss": str,
    "min_snr": number(0, 100),
    "noise_offset": number(0, 1),
    "bias": str,
    "prior_weight": number(0, 10),
    "views": whole(1, 1000),
    "zoom": number(1, 4),
    "shift": number(0, 0.5),
    "sample_every": whole(0, 1_000_000),
    "sample_cfg": number(1, 100),
    "strength": number(0.01, 2),
    "guidance": str,
    "save_every": whole(1, 100_000),
    "picks_share": number(0, 0.5),
    "picks_above": number(0, 0.9),
}


def add(verbs: Any) -> None:
    """Declare the verb."""
    parser = verbs.add_parser(
        "train",
        help="teach a style from a picture",
        description="Train a LoRA on pictures of one style, with samples on the way. A run that was stopped goes on "
        "where it stood; --more adds a round, with the samples that were picked.",
    )
    parser.add_argument("--run", dest="folder", type=Path, required=True, metavar="DIR", help="the run's folder")
    parser.add_argument("--style", type=Path, nargs="+", metavar="IMG", help="pictures of the style, for a new run")
    parser.add_argument(
        "--caption",
        nargs="+",
        metavar="T",
        help="what they show, one for all or one each; default: the text file beside a picture, else the captioner's",
    )
    parser.add_argument(
        "--captioner", default="mini", metavar="mini|FOLDER", help="captions pictures that have none; default mini"
    )
    parser.add_argument(
        "--keep-style-words", action="store_true", help="train on captions as they are, style words and all"
    )
    parser.add_argument("--steps", type=whole(1, 1_000_000), metavar="N", help="steps of a new run; default by family")
    parser.add_argument("--more", type=whole(1, 1_000_000), metavar="N", help="go on for N more steps, with the picks")
    parser.add_argument(
        "--prompt", nargs="+", metavar="T", help="what is sampled on the way; default: things of everyday life"
    )
    parser.add_argument("--use", type=whole(1, 10**6), metavar="STEP", help="this step's LoRA is the one of the run")
    parser.add_argument("--no-metadata", action="store_true", help="LoRA files say nothing of how they were made")
    dials = parser.add_argument_group("training")
    for name, kind in DIALS.items():
        dials.add_argument(f"--{name.replace('_', '-')}", type=kind, metavar=name[0].upper())
    dials.add_argument("--no-flip", action="store_true", help="never turn pictures left to right")
    parser.add_argument("--size", type=whole(16, 8192), metavar="PX", help="working size; default: the model's native")
    parser.add_argument("--device", default="auto", help="cpu, cuda, mps, ...; default: a GPU where there is one")
    parser.add_argument(
        "--model", default="mini", metavar="mini|FOLDER|FILE.safetensors", help="what is trained on; default mini"
    )
    add_common(parser, model=False)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, bars: Bars) -> dict[str, Any]:
    """Check, load, train."""
    check_model(args.model)
    exists = (args.folder / "run.json").exists()
    if exists and args.style:
        raise UserError(f"There is a run in '{args.folder}' already; go on with --more N, or give another --run.")
    if not exists and not args.style:
        raise UserError(f"There is no run in '{args.folder}'; give --style with pictures to begin one.")
    pictures = load_pictures(args.style or [], None)

    from ..learn import options as learn_options
    from ..learn import picks
    from ..learn.run import create, open_run
    from ..learn.train import train
    from ..models import load
    from ..words.clip import load_clip

    backend = load(args.model, device=device_of(args.device))
    clip = load_clip("mini") if backend.family == "mini" else None
    changes = {name: value for name in DIALS if (value := getattr(args, name)) is not None}
    if exists:
        job = open_run(args.folder, backend)
        if args.use is not None:
            return _use(job, args.use)
        if args.more is not None:
            job.add_round(args.more, picks.taken(args.folder), **changes)
            job.save()
        elif changes:
            raise UserError("Options change with a new round alone; give --more N beside them.")
    else:
        changes |= {"steps": args.steps} if args.steps else {}
        changes |= {"flip": False} if args.no_flip else {}
        options = learn_options.defaults(backend.family).changed(**changes, seed=args.seed, size_px=args.size or 0)
        job = create(args.folder, backend, options, _items(args, pictures, bars), _prompts(args, backend.family))
    bar = bars("train")
    with _gentle() as check:
        outcome = train(
            job,
            backend,
            clip=clip,
            check=check,
            metadata=not args.no_metadata,
            report=lambda step, total, word, _: bar(step / total, word),
        )
    report = {
        "run": str(args.folder),
        "step": outcome.step,
        "loss": round(outcome.loss, 5),
        "advice": outcome.advice,
        "captions": [item.caption for item in job.items],
        "steps_per_second": round(outcome.rate, 3),
        "seconds": round(outcome.seconds, 1),
    }
    return {"written": [args.folder / "lora.safetensors"], **report}


def _items(args: argparse.Namespace, pictures: list[Any], bars: Bars) -> Any:
    """The data set: each picture with its caption, stripped of style words unless they are to stay."""
    from ..learn.dataset import caption_beside, items_of
    from ..words.strip import strip

    captions = args.caption
    if captions is None:
        captions = [caption_beside(path, "") for path in args.style]
        missing = [k for k, text in enumerate(captions) if not text]
        if missing:
            from ..words.caption import caption_pictures, load_captioner
            from ..words.clip import load_clip

            captioner = load_captioner(args.captioner, device_of(args.device))
            clip = load_clip("mini") if args.captioner == "mini" else None
            said = caption_pictures(
                captioner, [pictures[k].pixels for k in missing], None, clip, args.seed, bars("caption")
            )
            for k, told in zip(missing, said):
                captions[k] = told.caption
    if not args.keep_style_words:
        captions = [strip(text).stripped for text in captions]
    return items_of([p.pixels for p in pictures], captions)


def _prompts(args: argparse.Namespace, family: str) -> Any:
    from ..learn.run import Prompt
    from ..learn.samples import default_prompts

    if args.prompt is None:
        return default_prompts(family, args.seed)
    return tuple(Prompt(text, args.seed + k) for k, text in enumerate(args.prompt))


def _use(job: Any, step: int) -> dict[str, Any]:
    from ..files import write_files

    file = job.kept_lora(step)
    job.chosen = step
    write_files({job.folder / "lora.safetensors": file.read_bytes()})
    job.save()
    return {"written": [job.folder / "lora.safetensors"], "run": str(job.folder), "step": step}


class _gentle:
    """Ctrl-C stops a training between two steps, so that its state is saved at the very step."""

    def __enter__(self) -> Any:
        self.asked = False
        self.before = signal.signal(signal.SIGINT, self._ask)
        return self.check

    def _ask(self, *_: Any) -> None:
        if self.asked:  # asked twice: at once
            raise KeyboardInterrupt
        self.asked = True

    def check(self) -> None:
        if self.asked:
            raise KeyboardInterrupt

    def __exit__(self, *_: Any) -> None:
        signal.signal(signal.SIGINT, self.before)
