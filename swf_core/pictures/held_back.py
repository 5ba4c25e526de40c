"""Real pictures that are kept for tests: no model of the project is ever trained on them.

`held_back.txt` lists 49 photographs and 21 whole pictures (19 of them wider than 300 px and narrower than 700) of the
Debian package gcompris-qt-data 3.1: the SHA-256 of the file, the `picture_id` of its pixels at full size, its name.
`held_back_likeness.txt` has each picture's `likeness`, by which copies in other sizes and formats are known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch

from ..errors import UserError
from .identity import picture_id
from .likeness import distance, likeness

# Bits of 256: copies at a third of the size differ in at most 17, two pictures of the list in at least 74.
COPY_DISTANCE = 32


@dataclass(frozen=True)
class HeldBack:
    """A picture of the list: SHA-256 of its file, id of its pixels, resource file and name in it."""

    sha256: str
    pixels: str
    name: str


@cache
def held_back() -> tuple[HeldBack, ...]:
    """The list."""
    lines = (Path(__file__).with_suffix(".txt")).read_text(encoding="utf-8").splitlines()
    return tuple(HeldBack(*line.split()) for line in lines)


@cache
def held_back_likeness() -> dict[str, int]:
    """The likeness of each picture of the list, by name."""
    lines = Path(__file__).with_name("held_back_likeness.txt").read_text(encoding="utf-8").splitlines()
    return {name: int(bits, 16) for bits, name in (line.split() for line in lines)}


def refuse_held_back(pictures: Sequence[np.ndarray]) -> None:
    """Raise UserError when one of the pictures [H, W, 3], uint8, that are to be trained on is kept for tests.

    It is known by its pixels, whatever file they came in, and, in another size or format, by its likeness; a piece cut
    out of it is not recognised.
    """
    names = {each.pixels: each.name for each in held_back()}
    looks = held_back_likeness()
    for picture in pictures:
        values = torch.from_numpy(np.array(picture)).permute(2, 0, 1).float() / 255
        name, look = names.get(picture_id(values)), likeness(picture)
        name = name or next((n for n, bits in looks.items() if distance(look, bits) <= COPY_DISTANCE), None)
        if name is not None:
            raise UserError(f"The picture '{name}' is kept for tests and must not be trained on; leave it out.")
