"""Options of the transfer that diffusion transformers brought, on the command line: how keys and pictures are read.

Names are written out here, for a help text needs no torch; tests hold them to those of the transfer.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import Any

from .argument_types import number, whole

KV = ("replace", "concat", "adaattn", "shared", "scatter_sort")
POSITIONS = ("untwist", "shift", "free", "same")
ENCODINGS = ("ddim", "stochastic", "bdia", "midpoint", "fireflow", "rf_controller", "fixed_point")
SOLVERS = ("euler", "bdia", "midpoint", "fireflow")
STARTS = ("content", "stochastic", "noise", "flowedit")
FADES = ("constant", "rising", "falling")


def add_reading(group: Any) -> None:
    """Add to the transfer's group how styles are read, and how pictures are brought to each noise level."""
    group.add_argument(
        "--kv",
        choices=KV,
        help="what is read of a style: its keys and values in place of or beside the own ones, or statistics; "
        "scatter_sort gives own values the style's histograms",
    )
    group.add_argument(
        "--positions",
        choices=POSITIONS,
        help="transformers with rotary positions: where a style's keys stand; same copies its objects most",
    )
    group.add_argument(
        "--untwist",
        metavar="HIGH,LOW,BETA",
        help="gains of untwist, first-last step: fast and slow pairs, and how late the one turns into the other; "
        "0.25-0.75,1-1.4,2 is published",
    )
    group.add_argument(
        "--encoding",
        choices=ENCODINGS,
        help="how pictures are inverted or noised; default fireflow on transformers, else ddim or the preset's",
    )
    group.add_argument("--solver", choices=SOLVERS, help="how steps are taken; default as --encoding, else euler")


def add_start(group: Any) -> None:
    """Add to the transfer's group what generation starts from, and what draws it to the content."""
    group.add_argument(
        "--start",
        choices=STARTS,
        help="the content's noisy latent, the content with fresh noise, noise alone, or flowedit: no noise at all, the "
        "content is changed by what words and styles change",
    )
    group.add_argument(
        "--edit-average", type=whole(1, 64), metavar="N", help="of flowedit: draws of noise a step; 1 is published"
    )
    group.add_argument(
        "--source-cfg", type=number(0, 100), metavar="W", help="of flowedit: guidance of --content-prompt; default 1"
    )
    group.add_argument(
        "--rf-eta",
        type=number(0, 1),
        metavar="E",
        help="draw the first steps to the content (RF-Inversion); 0 is off, 0.8 is published",
    )
    group.add_argument(
        "--rf-window",
        type=number(0, 1),
        nargs=2,
        metavar=("START", "END"),
        help="shares of the steps between which --rf-eta acts; default 0 0.2",
    )
    group.add_argument("--rf-fade", choices=FADES, help="how --rf-eta goes between them; default constant")


def inverts(args: argparse.Namespace) -> bool:
    """Whether an inversion or its solver was chosen."""
    return getattr(args, "encoding", None) is not None or getattr(args, "solver", None) is not None


def flow_values(preset: Any, args: argparse.Namespace) -> dict[str, Any]:
    """Values of `TransferOptions` that these options give in place of the preset's.

    Raises UserError for gains that cannot be read, or a controller out of range.
    """
    names = ("kv", "positions", "solver", "start", "edit_average", "source_cfg")
    values = {name: value for name in names if (value := getattr(args, name, None)) is not None}
    if values.get("start") == "flowedit" and getattr(args, "renoise", None) is None:
        values["renoise"] = 0.0  # the preset's is of another start
    if getattr(args, "encoding", None) is not None:
        values |= {"content_encoding": args.encoding, "style_encoding": args.encoding}
        values.setdefault("solver", args.encoding if args.encoding in ("bdia", "midpoint", "fireflow") else "euler")
    if getattr(args, "untwist", None) is not None:
        values["untwist"] = type(preset.untwist).parse(args.untwist, preset.untwist.flat_first)
    controller = {"eta": getattr(args, "rf_eta", None), "fade": getattr(args, "rf_fade", None)}
    if getattr(args, "rf_window", None) is not None:
        controller |= dict(zip(("start", "end"), args.rf_window))
    changed = {part: value for part, value in controller.items() if value is not None}
    if changed:
        values["controller"] = replace(preset.controller, **changed)
    return values
