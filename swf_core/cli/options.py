"""Options that verbs share, and the checks that need no model: a wrong value is refused before anything is loaded."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from ..errors import UserError
from ..files import check_folder


class Parser(argparse.ArgumentParser):
    """argparse with one sentence instead of the usage text when something is wrong."""

    def __init__(self, **options: Any):
        options.setdefault("allow_abbrev", False)  # an abbreviation accepted today is ambiguous tomorrow
        super().__init__(**options)

    def error(self, message: str) -> NoReturn:
        verb = self.prog.rsplit("swf_core", 1)[-1].strip() or "swf_core"
        print(f"{verb}: {' '.join(message.split())} (see --help)", file=sys.stderr)
        sys.exit(2)


def number(low: float = -math.inf, high: float = math.inf, *, above: bool = False) -> Callable[[str], float]:
    """Return an argparse type: a finite number in low..high (above: low itself is excluded)."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"'{text}' is not a number") from None
        if not math.isfinite(value) or value > high or value < low or (above and value == low):
            allowed = f"above {low:g}" if above else f"between {low:g} and {high:g}"
            if above and math.isfinite(high):
                allowed += f" and at most {high:g}"
            elif not above and not math.isfinite(high):
                allowed = f"at least {low:g}"
            raise argparse.ArgumentTypeError(f"{text} is out of range; it must be {allowed}")
        return value

    return parse


def whole(low: int, high: int) -> Callable[[str], int]:
    """Return an argparse type: a whole number in low..high."""

    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"'{text}' is not a whole number") from None
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text} is out of range; it must be between {low} and {high}")
        return value

    return parse


def add_common(parser: argparse.ArgumentParser, *, model: bool = True) -> None:
    """Add what every verb takes."""
    parser.add_argument("--json", action="store_true", help="end with one JSON line: what was done and measured")
    parser.add_argument("--seed", type=whole(0, 2**63 - 1), default=0, help="same seed, same result (default 0)")
    if model:
        parser.add_argument(
            "--model",
            default="mini",
            metavar="mini|FOLDER|FILE.safetensors",
            help="the embedded model, a diffusers folder, or one checkpoint file (SD1.x, SD2.x, SDXL); default mini",
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
    """Add the dials of the transfer and return their group. Those left alone keep the preset's value."""
    dials = parser.add_argument_group("transfer", "what is not given keeps the preset's value")
    dials.add_argument("--preset", metavar="NAME", help="wallfacer (default), styleid or adain")
    dials.add_argument("--tau", type=number(0, 100, above=True), metavar="T", help="attention sharpness; 1 is neutral")
    dials.add_argument("--strength", type=number(0, 1), metavar="S", help="0 is the plain model, 1 the full style")
    dials.add_argument("--layers", metavar="L", help="self-attention layers: all, late, or a list such as up.1,up.2")
    dials.add_argument(
        "--style-weight",
        type=number(0, 1000),
        nargs="+",
        metavar="W",
        help="one weight per style picture",
    )
    dials.add_argument("--adain", type=number(0, 1), metavar="A", help="how far colors move to the style")
    dials.add_argument(
        "--query-adain",
        type=number(0, 1),
        metavar="A",
        help="ask the style in its own range: more of its marks",
    )
    dials.add_argument(
        "--denoise",
        type=number(0, 1, above=True),
        metavar="D",
        help="share of the schedule that is run",
    )
    dials.add_argument(
        "--forward-first",
        type=whole(0, 50),
        metavar="K",
        help="noise the first K inversion steps instead of inverting them: against blotches in flat skies",
    )
    dials.add_argument("--refinements", type=whole(0, 20), metavar="R", help="fixed-point refinements of the inversion")
    dials.add_argument(
        "--style-guidance",
        type=number(0, 10),
        metavar="G",
        help="take what the style adds 1 + G times; 0 is off",
    )
    dials.add_argument(
        "--leak-guard",
        type=number(0, 10),
        metavar="G",
        help="push the style picture's objects out; 0 is off",
    )
    return dials


def add_text(parser: argparse.ArgumentParser) -> None:
    """Add negative prompt, guidance and steps."""
    parser.add_argument("--steps", type=whole(1, 999), metavar="N", help="denoising steps; default 30 or the preset's")
    parser.add_argument("--negative", default="", metavar="T", help="what the picture should not be")
    parser.add_argument(
        "--cfg",
        type=number(0, 100),
        metavar="W",
        help="classifier-free guidance; 1 is off; default 4 where there is a prompt, else the preset's",
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


def check_early(args: argparse.Namespace) -> None:
    """Check what needs no torch: the folder to write into, and that the files named are there."""
    check_folder(args.out)
    check_model(args.model)
    if args.lora is not None and not args.lora.is_file():
        raise UserError(f"The LoRA file '{args.lora}' does not exist.")


def check_model(name: str) -> None:
    """Refuse a model that is not there."""
    if name != "mini" and not Path(name).exists():
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

    name = args.preset or "wallfacer"
    if name not in PRESETS:
        raise UserError(f"The preset '{name}' is unknown; use {', '.join(PRESETS)}.")
    return name


def dialled(options: Any, args: argparse.Namespace) -> Any:
    """Return a preset's TransferOptions with the dials that were given."""
    names = ("tau", "strength", "layers", "query_adain")
    inside = {name: getattr(args, name) for name in names if getattr(args, name, None) is not None}
    if getattr(args, "gamma", None) is not None:
        inside |= {"gamma": args.gamma, "gamma_end": None, "gamma_schedule": "constant"}
    outside = {"steps": args.steps, "cfg": args.cfg, "size_px": args.size}
    more = ("adain", "denoise", "forward_first", "refinements", "style_guidance", "leak_guard")
    outside |= {name: getattr(args, name, None) for name in more}
    given = {name: value for name, value in outside.items() if value is not None}
    return options.changed(**inside, **given)


def device_of(name: str) -> str:
    """A device that can be used; "auto" is a GPU where there is one."""
    import torch

    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(0, device=name)
    except (RuntimeError, AssertionError) as error:
        raise UserError(f"The device '{name}' cannot be used here; choose --device cpu.") from error
    return name


def load_backend(args: argparse.Namespace) -> Any:
    """Load the model that --model, --lora and --device name."""
    from ..models import load

    device = device_of(args.device)
    lora = None if args.lora is None else [(args.lora, args.lora_weight)]
    return load(args.model, lora=lora, device=device)


def load_guided(args: argparse.Namespace) -> tuple[Any, Any]:
    """The model with its LoRA; and the plain one where guidance is asymmetric, else None."""
    from ..models import load, lora_file
    from ..models.lora import without

    if args.lora is None or args.lora_guidance == "both":
        return load_backend(args), None
    tensors, told = lora_file.read(args.lora)
    if args.lora_guidance == "auto" and "swf_run" not in told:
        return load_backend(args), None
    plain = load(args.model, device=device_of(args.device))
    ranks = {tensors[key].shape[0] for key in tensors if key.endswith(".lora_down.weight")}
    if len(ranks) != 1 or any(not key.startswith("lora_unet_") for key in tensors):
        return load_backend(args), plain  # text encoders too, or several ranks: two copies of the model
    adapter = lora_file.load(plain.denoiser.network, plain.denoiser.module_names, args.lora)
    adapter.set_strength(args.lora_weight)
    return plain, without(plain, adapter)


def load_pictures(paths: Sequence[Path], size: int | None) -> list[Any]:
    """Read pictures, every head before the first is decoded; kept no larger than anything after this needs."""
    from .. import pictures

    for path in paths:
        pictures.check(path)
    loaded = []
    for path in paths:
        picture = pictures.load(path, long_side=size or 1024)
        pictures.check_size(picture, size or 1024)
        loaded.append(picture)
    return loaded


def check_targets(targets: Sequence[Path], sources: Sequence[Path]) -> None:
    """Refuse to write over a picture that is read."""
    read = {path.resolve() for path in sources}
    for target in targets:
        if target.resolve() in read:
            raise UserError(f"'{target}' is one of the pictures given; choose another --out.")


def unique(names: Sequence[str]) -> list[str]:
    """Number the second and later of equal names."""
    seen: dict[str, int] = {}
    found = []
    for name in names:
        seen[name.lower()] = count = seen.get(name.lower(), 0) + 1
        found.append(name if count == 1 else f"{name}_{count}")
    return found
