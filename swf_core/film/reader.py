"""A film's frames one by one, upright, in sRGB, each with its time; any length in constant memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from .info import TRANSFERS, opened
from .tone_map import standard_range


@dataclass(frozen=True, eq=False)
class Frame:
    """A picture [3, H, W], sRGB in 0..1; its place in the film, from 0; and when it is shown, in seconds."""

    pixels: Tensor
    index: int
    time: Fraction


def frames_of(path: Path, first: int = 0, count: int | None = None) -> Iterator[Frame]:
    """The frames of a film from number `first` on, `count` of them at most.

    Frames before `first` are decoded and passed over: which frame is which is then sure, in files whose index lies too.
    Depth beyond 8 bits is kept; high dynamic range is brought to standard range (`tone_map`).
    Raises UserError where the file is no film or breaks off within a frame.
    """
    with opened(path) as (container, stream):
        for index, frame in enumerate(container.decode(stream)):
            if index < first:
                continue
            if count is not None and index >= first + count:
                return
            deep = frame.format.components[0].bits > 8
            array = frame.to_ndarray(format="rgb48le" if deep else "rgb24")
            pixels = torch.from_numpy(array.astype(np.float32) / (65535.0 if deep else 255.0)).permute(2, 0, 1)
            turned = int(getattr(frame, "rotation", 0) or 0) // 90 % 4
            pixels = torch.rot90(pixels, turned, (1, 2)).contiguous()
            transfer = TRANSFERS.get(int(frame.color_trc or 0), "sdr")
            time = Fraction(frame.pts or 0) * Fraction(frame.time_base or stream.time_base)
            yield Frame(standard_range(pixels, transfer), index, time)
