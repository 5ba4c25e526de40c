"""`train`: teach a model a style from one picture or a few, and continue a run."""

from __future__ import annotations

import argparse
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import UserError
from ..files import check_folder
from .argument_types import number, whole
from .arguments import add_common
from .checks import check_model
from .loading import device_of
from .progress import Bars
from .train_data import items_of_style, prompts_of, style_pictures
from .train_together import train_planned, train_together

if TYPE_CHECKING:
    from ..learn.processes import Processes
    from ..learn.run import Run
    from ..models.contracts import Backend

# Options of a training that have a flag of their own, and how each is read.
OPTION_FLAGS: dict[str, Any] = {
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
    "timestep_bias": str,
    "timestep_sampling": str,
    "timestep_shift": number(0, 100),
    "prior_weight": number(0, 10),
    "views": whole(1, 1000),
    "zoom": number(1, 4),
    "shift": number(0, 0.5),
    "sample_every": whole(0, 1_000_000),
    "sample_cfg": number(1, 100),
    "strength": number(0.01, 2),
    "lora_guidance": str,
    "save_every": whole(1, 100_000),
    "picks_share": number(0, 0.5),
    "picks_above": number(0, 0.9),
    "base_weights": str,
    "lora_layout": str,
}

STYLE_HELP = (
    "for a new run: pictures of the style, or folders of them with a .txt caption beside each; a folder named 10_cats "
    "in it counts ten times"
)
# Flags of before, which keep working.
FORMER_FLAGS = {"bias": "timestep_bias", "guidance": "lora_guidance"}


def add(verbs: Any) -> None:
    """Declare the verb."""
    parser = verbs.add_parser(
        "train",
        help="teach a style from a picture",
        description="Train a LoRA on pictures of one style, with samples on the way. A run that was stopped goes on "
        "where it stood; --more adds a round, with the samples that were picked.",
        epilog="Several GPUs share each step's batch under accelerate launch --multi_gpu --num_processes N -m swf_core "
        "train ... --batch B: the LoRA is that of one process.",
    )
    parser.add_argument("--run", dest="folder", type=Path, required=True, metavar="DIR", help="the run's folder")
    parser.add_argument("--style", type=Path, nargs="+", metavar="IMG|DIR", help=STYLE_HELP)
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
    group = parser.add_argument_group("training")
    for name, kind in OPTION_FLAGS.items():
        group.add_argument(f"--{name.replace('_', '-')}", type=kind, metavar=name[0].upper())
    for former, name in FORMER_FLAGS.items():
        group.add_argument(f"--{former}", dest=name, type=str, default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    group.add_argument(
        "--gradient-checkpointing",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="less memory and a third slower; default: on for diffusion transformers",
    )
    group.add_argument("--no-flip", action="store_true", help="never turn pictures left to right")
    parser.add_argument("--size", type=whole(16, 8192), metavar="PX", help="working size; default: the model's native")
    parser.add_argument("--device", default="auto", help="cpu, cuda, mps, ...; default: a GPU where there is one")
    parser.add_argument(
        "--model", default="mini", metavar="mini|FOLDER|FILE.safetensors", help="what is trained on; default mini"
    )
    add_common(parser, model=False)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, bars: Bars) -> dict[str, Any]:
    """Begin a run, resume it, train it for more steps, or choose a step of it; as one of several processes if so."""
    from ..learn.processes import ALONE, launched

    return train_together(args, bars, _run) if launched() else _run(args, bars, ALONE)


def _run(args: argparse.Namespace, bars: Bars, group: Processes) -> dict[str, Any]:
    """What the only process does, or the first of several: plan the run, say so to the others, train."""
    check_model(args.model)
    check_folder(args.folder, "--run")
    exists = _exists(args)
    pictures, repeats = ([], []) if exists else style_pictures(args)

    from ..learn.locks import training_lock
    from ..models import load

    with training_lock(args.folder):  # from now on: whoever comes second is told so at once
        _exists(args)  # somebody may have been quicker
        backend = load(args.model, device=device_of(args.device))
        if exists and args.use is not None:
            group.told(0)
            return _choose_step(args, backend)
        if not exists:
            planned = _new_run(args, backend, pictures, repeats, bars)
        else:
            planned = _resumed_run(args, backend) if args.more is None else _with_more_steps(args, backend)
        group.told(1)
        return train_planned(planned, backend, args, bars, group)


def _exists(args: argparse.Namespace) -> bool:
    """Whether there is a run. Raises UserError when --style is missing for a new one, or given for an old one."""
    exists = os.path.exists(args.folder / "run.json")
    if exists and args.style:
        raise UserError(f"There is a run in '{args.folder}' already; go on with --more N, or give another --run.")
    if not exists and not args.style:
        raise UserError(f"There is no run in '{args.folder}'; give --style with pictures to begin one.")
    given = [name for name in ("caption", "steps", "prompt", "size", "no_flip") if exists and getattr(args, name)]
    if given:
        flag = given[0].replace("_", "-")
        raise UserError(
            f"--{flag} is for a new run; this one goes on as it began: leave it out, or give another --run."
        )
    return exists


def _changes(args: argparse.Namespace) -> dict[str, Any]:
    """The options of the training that were given as flags."""
    from ..learn.options import with_present_names

    given = {name: value for name in OPTION_FLAGS if (value := getattr(args, name)) is not None}
    if args.gradient_checkpointing is not None:
        given["gradient_checkpointing"] = args.gradient_checkpointing
    return with_present_names(given)


def _new_run(args: argparse.Namespace, backend: Backend, pictures: list[Any], repeats: list[int], bars: Bars) -> Run:
    from ..learn.options import defaults
    from ..learn.run import create_run

    changes = _changes(args)
    changes |= {"steps": args.steps} if args.steps else {}
    changes |= {"flip": False} if args.no_flip else {}
    options = defaults(backend.family).changed(**changes, seed=args.seed, size_px=args.size or 0)
    items = [replace(item, repeats=count) for item, count in zip(items_of_style(args, pictures, bars), repeats)]
    return create_run(args.folder, backend, options, items, prompts_of(args, backend.family))


def _resumed_run(args: argparse.Namespace, backend: Backend) -> Run:
    """The run as it was stopped. Raises UserError for options, which belong to a round from its beginning."""
    from ..learn.run import open_run

    if _changes(args):
        raise UserError("Options change with a new round alone; give --more N beside them.")
    return open_run(args.folder, backend)


def _with_more_steps(args: argparse.Namespace, backend: Backend) -> Run:
    """The run with another round, which learns from the samples accepted by now.

    After a round that failed it begins at the last sound step, with a learning rate that has to be given.
    """
    from ..learn.mending import failure, restart_failed
    from ..learn.picks import accepted_captions
    from ..learn.run import open_run

    stored, changes = open_run(args.folder, backend), _changes(args)
    if "failed" in stored.rounds[-1]:
        if "learning_rate" not in changes:
            raise failure(stored, len(stored.rounds) - 1)
        stored = restart_failed(stored)
    stored.add_round(args.more, accepted_captions(args.folder), **changes)
    stored.save()
    return stored


def _choose_step(args: argparse.Namespace, backend: Backend) -> dict[str, Any]:
    """Make the LoRA of one step the run's."""
    from ..files import write_files
    from ..learn.run import open_run

    stored = open_run(args.folder, backend)
    lora = stored.lora_bytes(args.use)
    stored.chosen = args.use
    write_files({stored.folder / "lora.safetensors": lora})
    stored.save()
    return {"written": [stored.folder / "lora.safetensors"], "run": str(stored.folder), "step": args.use}
