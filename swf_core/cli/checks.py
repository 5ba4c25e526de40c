"""The checks that need no model: a wrong value is refused before anything is loaded."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from ..errors import UserError
from ..files import check_file, check_folder


def check_files(args: argparse.Namespace) -> None:
    """Check what needs no torch: the folder to write into, and that the files named are there."""
    check_folder(args.out)
    check_model(args.model)
    if args.lora is not None and not os.path.isfile(args.lora):
        raise UserError(f"The LoRA file '{args.lora}' does not exist.")


def check_model(name: str) -> None:
    """Refuse a model that is not there."""
    if name != "mini" and not os.path.exists(name):
        raise UserError(f"The model '{name}' does not exist; use mini, a diffusers folder, or a .safetensors file.")


def check_weights(weights: Sequence[float] | None, styles: int) -> None:
    """Refuse style weights that do not go with the styles."""
    if weights is None:
        return
    if len(weights) != styles:
        raise UserError(f"{len(weights)} style weights were given for {styles} styles; give one each.")
    if sum(weights) <= 0:
        raise UserError("All style weights are 0; give at least one above 0.")


def check_preset(args: argparse.Namespace) -> str:
    """Return the preset's name; refuse an unknown one while no model is loaded yet."""
    from ..transfer import PRESETS
    from ..transfer.defaults import DEFAULT_PRESET
    from ..transfer.presets import DIALED, check_freedom

    freedom = getattr(args, "freedom", None)
    name = args.preset or (DEFAULT_PRESET if freedom is None else DIALED)
    if name not in PRESETS:
        raise UserError(f"The preset '{name}' is unknown; use {', '.join(PRESETS)}.")
    check_freedom(name, freedom or 0.0)
    return name


def check_targets(targets: Sequence[Path], sources: Sequence[Path]) -> None:
    """Refuse what cannot be written, and to write over a picture that is read."""
    read = {os.path.realpath(path) for path in sources}
    for target in targets:
        check_file(target)
        if os.path.realpath(target) in read:
            raise UserError(f"'{target}' is one of the pictures given; choose another --out.")


def names_apart(names: Sequence[str], taken: Sequence[str] = ()) -> list[str]:
    """Names of files, numbered where one stood already, whatever its case."""
    used, apart = {name.lower() for name in taken}, []
    for name in names:
        free, count = name, 1
        while free.lower() in used:
            count += 1
            free = f"{name}_{count}"
        used.add(free.lower())
        apart.append(free)
    return apart
