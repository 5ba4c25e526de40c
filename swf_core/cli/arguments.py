"""The arguments that verbs share: the parser, its types, and the groups of options."""

from __future__ import annotations

import argparse
import sys
import textwrap
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

from ..errors import UserError
from ..presets import ENTRIES, FEW_STEPS
from .argument_types import number, whole
from .flow_arguments import add_reading, add_start, flow_values, inverts
from .machine import add_machine


class HelpFormatter(argparse.HelpFormatter):
    """argparse's, but for texts of several lines (a list at the end): they stay lines."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        if "\n" not in text:
            return super()._fill_text(text, width, indent)
        hanging = indent + " " * 4
        return "\n".join(
            textwrap.fill(line, width, initial_indent=indent, subsequent_indent=hanging) for line in text.splitlines()
        )


class Parser(argparse.ArgumentParser):
    """argparse with one sentence instead of the usage text when something is wrong."""

    def __init__(self, **options: Any):
        options.setdefault("formatter_class", HelpFormatter)
        options.setdefault("allow_abbrev", False)  # an abbreviation accepted today is ambiguous tomorrow
        super().__init__(**options)

    def error(self, message: str) -> NoReturn:
        verb = self.prog.rsplit("swf_core", 1)[-1].strip() or "swf_core"
        print(f"{verb}: {' '.join(message.split())} (see --help)", file=sys.stderr)
        sys.exit(2)


def add_common(parser: argparse.ArgumentParser, *, model: bool = True) -> None:
    """Add what every verb takes."""
    parser.add_argument("--json", action="store_true", help="end with one JSON line: what was done and measured")
    parser.add_argument("--seed", type=whole(0, 2**63 - 1), default=0, help="same seed, same result (default 0)")
    if model:
        parser.add_argument(
            "--model",
            default="mini",
            metavar="mini|FOLDER|FILE.safetensors",
            help="the embedded model, a diffusers folder (also of SD3 and Flux, to repaint), or one checkpoint file "
            "(SD1.x, SD2.x, SDXL); default mini",
        )
        parser.add_argument("--lora", type=Path, metavar="FILE", help="a LoRA file to load onto the model")
        parser.add_argument("--lora-weight", type=number(-10, 10), default=1.0, metavar="W", help="default 1")
        parser.add_argument(
            "--lora-guidance",
            choices=("auto", "asymmetric", "both"),
            default="auto",
            help="asymmetric: content and the unconditional branch run without the LoRA; auto: LoRAs trained here",
        )
        parser.add_argument("--device", default="auto", help="cpu, cuda, mps, ...; default: a GPU where there is one")


def add_transfer(parser: argparse.ArgumentParser) -> Any:
    """Add the options of the transfer and return their group. What is not given keeps the preset's value."""
    group = parser.add_argument_group("transfer", "what is not given keeps the preset's value")
    group.add_argument("--preset", metavar="NAME", help="the whole setting; default wallfacer, the list is below")
    parser.epilog = "presets:\n" + "\n".join(f"  {name}: {entry.line}" for name, entry in ENTRIES.items())
    add_machine(group)
    group.add_argument("--tau", type=number(0, 100, above=True), metavar="T", help="attention sharpness; 1 is neutral")
    group.add_argument("--strength", type=number(0, 1), metavar="S", help="0 is the plain model, 1 the full style")
    group.add_argument("--layers", metavar="L", help="self-attention layers: all, late, or a list such as up.1,up.2")
    group.add_argument(
        "--style-weight",
        type=number(0, 1000),
        nargs="+",
        metavar="W",
        help="one weight per style picture",
    )
    group.add_argument(
        "--adain",
        type=number(0, 1),
        metavar="A",
        help="how far colors move to the style; default the preset's; 0.75 on mini where words are read",
    )
    group.add_argument(
        "--query-adain",
        type=number(0, 1),
        metavar="A",
        help="ask the style in its own range: more of its marks",
    )
    group.add_argument(
        "--denoise",
        type=number(0, 1, above=True),
        metavar="D",
        help="share of the schedule that is run",
    )
    group.add_argument(
        "--forward-first",
        type=whole(0, 50),
        metavar="K",
        help="noise the first K inversion steps instead of inverting them: against blotches in flat skies",
    )
    group.add_argument("--refinements", type=whole(0, 20), metavar="R", help="fixed-point refinements of the inversion")
    group.add_argument(
        "--style-guidance",
        type=number(0, 10),
        metavar="G",
        help="take what the style adds 1 + G times; 0 is off",
    )
    group.add_argument(
        "--leak-guard",
        type=number(0, 10),
        metavar="G",
        help="push the style picture's objects out; 0 is off",
    )
    add_reading(group)
    return group


def add_layout(group: Any) -> None:
    """Add to the transfer's group how a content is kept: its queries, and its layout."""
    group.add_argument("--gamma", type=number(0, 1), metavar="G", help="0: style's free hand; 1: content's own queries")
    group.add_argument(
        "--freedom",
        type=number(0, 1),
        metavar="F",
        help="0 is the preset faithful, 1 is free: less of the content's drawing, more of the style's",
    )
    group.add_argument(
        "--renoise",
        type=number(0, 1),
        metavar="R",
        help="turn the start from the content to fresh noise; 1 is noise alone",
    )
    group.add_argument(
        "--layout",
        type=number(0, 1),
        metavar="W",
        help="guide by the content's layout, its low frequencies; 0 is off",
    )
    group.add_argument(
        "--layout-cut",
        type=number(0, 1e6, above=True),
        metavar="C",
        help="how fine that layout is, in cycles per long side; 4 holds shapes of an eighth of it",
    )
    group.add_argument(
        "--layout-end",
        type=number(0, 1, above=True),
        metavar="E",
        help="share of the steps that it guides; after it the model paints freely",
    )
    add_start(group)


def add_text(parser: argparse.ArgumentParser) -> None:
    """Add negative prompt, guidance and steps."""
    parser.add_argument(
        "--steps",
        type=whole(1, 999),
        metavar="N",
        help="denoising steps; default 30 or the preset's; 15 on mini where words are read",
    )
    parser.add_argument(
        "--few-steps",
        choices=FEW_STEPS,
        metavar="KIND",
        help="the weights are distilled for few steps: their noise levels and sampling rule, 4 steps and cfg 1 where "
        "nobody says. " + "; ".join(f"{name}: {kind.line}" for name, kind in FEW_STEPS.items()),
    )
    parser.add_argument("--negative", default="", metavar="T", help="what the picture should not be")
    parser.add_argument(
        "--cfg",
        type=number(0, 100),
        metavar="W",
        help="classifier-free guidance; 1 is off; default 4 where there is a prompt, 3 where it was read from the "
        "pictures, else the preset's",
    )
    parser.add_argument(
        "--guidance-window",
        type=number(0, 1e6),
        nargs=2,
        metavar=("LOW", "HIGH"),
        help="noise levels (sigmas) between which --cfg, --style-guidance and --leak-guard act; elsewhere they cost "
        "nothing",
    )
    parser.add_argument(
        "--cfg-detail",
        type=number(0, 1),
        metavar="D",
        help="how far that guidance is held to detail, tones and layout left to the pictures; default 1 where the "
        "prompt was read from them, else 0",
    )


def add_output(parser: argparse.ArgumentParser) -> None:
    """Add --out and --size."""
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the folder to write into")
    parser.add_argument(
        "--size",
        type=whole(16, 8192),
        metavar="PX",
        help="long side of the result; default: the model's native size",
    )


def transfer_options(preset: Any, args: argparse.Namespace) -> Any:
    """A preset's TransferOptions with what was given on the command line in place of its values.

    Raises UserError where weights for few steps are given a setting of an inversion.
    """
    kind = getattr(args, "few_steps", None)
    if kind is not None:
        if args.refinements or args.forward_first:
            raise UserError(
                f"--few-steps {kind} noises the pictures and inverts none; leave out --refinements and --forward-first."
            )
        if inverts(args):
            raise UserError(f"--few-steps {kind} has its own steps and noises pictures; drop --encoding and --solver.")
        preset = preset.changed(**FEW_STEPS[kind].transfer)
    names = ("tau", "strength", "layers", "query_adain")
    injection = {name: getattr(args, name) for name in names if getattr(args, name, None) is not None}
    if getattr(args, "gamma", None) is not None:
        injection |= {"gamma": args.gamma, "gamma_end": None, "gamma_schedule": "constant"}
    values = {"steps": args.steps, "cfg": args.cfg, "cfg_detail": args.cfg_detail, "size_px": args.size}
    names = ("adain", "denoise", "renoise", "forward_first", "refinements", "style_guidance", "leak_guard")
    names += ("content_prompt", "style_prompt")
    values |= {name: getattr(args, name, None) for name in names} | {
        "feature_mb": getattr(args, "feature_memory", None)
    }
    if getattr(args, "guidance_window", None) is not None:
        values |= dict(zip(("guidance_low", "guidance_high"), args.guidance_window))
    names = {"weight": "layout", "cut": "layout_cut", "end": "layout_end"}
    layout = {part: getattr(args, name, None) for part, name in names.items()}
    values["layout"] = replace(preset.layout, **{part: value for part, value in layout.items() if value is not None})
    values |= flow_values(preset, args)
    return preset.changed(**injection, **{name: value for name, value in values.items() if value is not None})
