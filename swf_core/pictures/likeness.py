"""How alike two pictures are at a glance: 256 bits that survive scaling and compression.

The difference hash: the picture as 17 x 16 gray means, each compared with its right neighbor. Copies of one picture in
other sizes or formats differ in a few bits, pictures of different things in about half of them.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

SIDE = 16


def likeness(picture: np.ndarray) -> int:
    """The 256 bits of a picture [H, W, 3], uint8, as a whole number."""
    gray = Image.fromarray(np.array(picture)).convert("L")
    means = np.asarray(gray.resize((SIDE + 1, SIDE), Image.Resampling.BOX), np.int16)
    return int.from_bytes(np.packbits(means[:, 1:] > means[:, :-1]).tobytes(), "big")


def distance(first: int, second: int) -> int:
    """In how many of the 256 bits two likenesses differ."""
    return (first ^ second).bit_count()
