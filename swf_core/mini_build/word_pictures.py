"""The pictures that captioner and CLIP learn from: one set or several, one after another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..models.mini.blip_and_clip import pixels
from ..world import Look, Scene
from .classifier_batches import augment
from .data import SETS


class WordPictures:
    """Sets of `data.SETS` by name, each uint8 [N, 128, 128, 3], counted through.

    `crisp`: the share, 0..1, of a batch that is flipped at most, where the rest is also shifted, zoomed and noised:
    zooming blurs, and what is read afterwards is as sharp as it was painted.
    """

    def __init__(self, sets: Mapping[str, np.ndarray], crisp: float = 0.0) -> None:
        self.sets = dict(sets)
        self.crisp = crisp
        self.starts = np.cumsum([0, *map(len, self.sets.values())])

    def __len__(self) -> int:
        return int(self.starts[-1])

    def factors(self, index: int) -> tuple[Scene, Look]:
        """What picture `index` shows and by which hand."""
        number = int(np.searchsorted(self.starts, index, side="right")) - 1
        shown: Any = SETS[list(self.sets)[number]](int(index - self.starts[number]))
        return shown

    def plain(self, index: np.ndarray) -> Tensor:
        """The pictures of ascending indices, [B, 3, 128, 128] in 0..1."""
        parts = []
        for pictures, start in zip(self.sets.values(), self.starts):
            inside = index[(index >= start) & (index < start + len(pictures))] - start
            parts.append(np.array(pictures[inside]))
        return torch.from_numpy(np.concatenate(parts)).permute(0, 3, 1, 2).float() / 255

    def batch(self, index: np.ndarray, rng: np.random.Generator) -> Tensor:
        """The same augmented, as the networks take them."""
        plain = self.plain(index)
        with torch.autocast("cpu", enabled=False):  # half precision is for the network alone
            batch = augment(plain, rng, hue=False)
            if self.crisp:
                crisp, flip = (torch.from_numpy(rng.random(len(index)) < p) for p in (self.crisp, 0.5))
                flipped = torch.where(flip[:, None, None, None], plain.flip(-1), plain)
                batch = torch.where(crisp[:, None, None, None], flipped, batch)
            return pixels(batch).contiguous(memory_format=torch.channels_last)
