"""Real pictures that are kept for tests: no model of the project is ever trained on them.

`held_back.txt` lists 49 photographs and 21 whole pictures (19 of them wider than 300 px and narrower than 700) of the
Debian package gcompris-qt-data 3.1: the SHA-256 of the file, the `picture_id` of its pixels at full size, its name.
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


def refuse_held_back(pictures: Sequence[np.ndarray]) -> None:
    """Raise UserError when one of the pictures [H, W, 3], uint8, that are to be trained on is kept for tests.

    It is known by its pixels, whatever file they came in; a scaled or cropped copy is not recognised.
    """
    names = {each.pixels: each.name for each in held_back()}
    for picture in pictures:
        values = torch.from_numpy(np.array(picture)).permute(2, 0, 1).float() / 255
        name = names.get(picture_id(values))
        if name is not None:
            raise UserError(f"The picture '{name}' is kept for tests and must not be trained on; leave it out.")
