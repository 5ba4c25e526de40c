"""Types of arguments: what a value may be, checked as it is read, in argparse's own sentences."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from pathlib import Path


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


def picture_or_folder(text: str) -> Path:
    """Read an argparse value as the path of a picture to write, or of a folder for several."""
    if not text or (text.endswith(("/", "\\")) and Path(text).suffix) or Path(text).name in ("", ".."):
        raise argparse.ArgumentTypeError(f"'{text}' is a folder's name; give a file's")
    return Path(text)
