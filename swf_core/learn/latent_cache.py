"""The latents of several crops of each picture of a data set and the captions' embeddings, computed once.

Everything that step k draws comes from generators seeded by (seed, k): a resumed training draws the very batches that
an uninterrupted one would have drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..models.contracts import Backend, Conditioning, join
from ..models.precision import mixed_precision
from ..pictures.part import scaled_part
from .dataset import Item
from .options import TrainOptions

# Streams of random numbers, so that one use never shifts another.
BATCH, NOISE, VIEWS, PRIOR = range(4)
GROUP_PX = 2**16  # pixels that are encoded in one call: four views of mini's, one of a larger model's


@dataclass(frozen=True)
class Batch:
    """Latents [B, C, h, w], the text of each row, and which rows are picked samples, bool [B]; None where none is."""

    latents: Tensor
    text: Conditioning
    picked: Tensor | None = None

    def pick(self, rows: Sequence[int]) -> Batch:
        """The rows named by index."""
        index = torch.tensor(list(rows), dtype=torch.long)
        return Batch(self.latents[index], self.text.pick(rows), None if self.picked is None else self.picked[index])


class LatentCache:
    """The data set of one round. `sizes`: (height, width) in pixels each item is trained at; `side_ratio`: of the side
    of a square of that area to the model's native one."""

    def __init__(
        self,
        items: Sequence[Item],
        backend: Backend,
        options: TrainOptions,
        progress: Callable[[float], None] | None = None,
    ):
        self.items, self.options = tuple(items), options
        size = options.size_px or backend.native_size_px
        self.side_ratio = size / backend.native_size_px
        step = cell_px(backend)
        self.sizes = [bucket((i.picture.shape[-2], i.picture.shape[-1]), size, step) for i in self.items]
        self.latents: list[Tensor] = []
        for n, (item, shape) in enumerate(zip(self.items, self.sizes)):
            encoded: list[Tensor] = []
            group = max(1, GROUP_PX // (shape[0] * shape[1]))
            for first in range(0, options.views, group):
                numbers = range(first, min(first + group, options.views))
                encoded.append(encode_pictures(backend, torch.cat([view(item, shape, k, options) for k in numbers])))
                if progress:
                    progress((n + numbers.stop / options.views) / len(self.items))
            self.latents.append(torch.cat(encoded))
        self._texts: dict[tuple[str, tuple[int, int]], Conditioning] = {}
        for item, shape in zip(self.items, self.sizes):
            for text in (item.caption, ""):
                if (text, shape) not in self._texts:
                    with torch.no_grad():
                        self._texts[text, shape] = backend.text.encode([text], *shape)
        self.probabilities = draw_probabilities(self.items, options.picks_share)
        self.picked = np.array([item.picked for item in self.items])
        self.picks_share = float(self.probabilities[self.picked].sum())  # what is drawn, at most the options'

    def draw(self, step: int, part: int = 0) -> Batch:
        """The batch of a step; `part` counts the passes that are accumulated. Its rows have one size."""
        options = self.options
        rng = np.random.default_rng([options.seed, BATCH, step, part])
        first = int(rng.choice(len(self.items), p=self.probabilities))
        alike = np.array([s == self.sizes[first] for s in self.sizes]) * self.probabilities
        rows = [first, *rng.choice(len(self.items), options.batch - 1, p=alike / alike.sum()).tolist()]
        views = rng.integers(0, options.views, len(rows))
        dropped = rng.random(len(rows)) < options.caption_dropout
        texts = [self.text(r, bool(d)) for r, d in zip(rows, dropped)]
        latents = torch.stack([self.latents[r][v] for r, v in zip(rows, views)])
        return Batch(latents, join(texts), torch.from_numpy(self.picked[rows]))

    def text(self, item: int, empty: bool = False) -> Conditioning:
        """The embedding of an item's caption, or of no words at its size."""
        return self._texts["" if empty else self.items[item].caption, self.sizes[item]]


def draw_probabilities(items: Sequence[Item], picks_share: float) -> np.ndarray:
    """How likely each item is drawn: by weight, picked samples together at most `picks_share`."""
    shares = np.array([item.share for item in items], dtype=np.float64)
    picked = np.array([item.picked for item in items])
    shares /= shares.sum()
    picked_share = float(shares[picked].sum())
    if picked_share > picks_share and not picked.all():
        shares[picked] *= picks_share / picked_share
        shares[~picked] *= (1 - picks_share) / (1 - picked_share)
    return shares / shares.sum()


def cell_px(backend: Backend) -> int:
    """Sides that a network halves without a rest are multiples of this."""
    deepest = max((layer.level for layer in backend.denoiser.self_attention_layers), default=0)
    return backend.codec.downscale * 2**deepest


def bucket(shape: tuple[int, int], size: int, step: int) -> tuple[int, int]:
    """Height and width near a picture's aspect, of about `size` squared pixels, multiples of `step`."""
    height, width = shape
    best = None
    for rows in range(1, 4 * size // step + 1):
        for columns in {max(1, int(rows * width / height)), int(rows * width / height) + 1}:
            area = abs(np.log(rows * columns * step**2 / size**2))
            aspect = abs(np.log(columns * height / (rows * width)))
            if best is None or area + 4 * aspect < best[0] - 1e-9:
                best = (area + 4 * aspect, (rows * step, columns * step))
    assert best is not None
    return best[1]


def view(item: Item, shape: tuple[int, int], number: int, options: TrainOptions) -> Tensor:
    """View `number` of a picture, [1, 3, *shape]; the first is the whole picture."""
    rng = np.random.default_rng([options.seed, VIEWS, number, int(item.id, 16)])
    zoom = 1.0 if number == 0 else float(rng.uniform(1, options.zoom))
    y, x = (0.5, 0.5) if number == 0 else (float(v) for v in rng.random(2))
    part = crop(item.picture, shape, zoom, y, x, 0.0 if number == 0 else options.shift)
    return part.flip(-1)[None] if options.flip and number and rng.random() < 0.5 else part[None]


def crop(picture: Tensor, shape: tuple[int, int], zoom: float, y: float, x: float, shift: float) -> Tensor:
    """A part of a picture with the aspect of `shape`, scaled to it. y, x in 0..1: where it lies.

    The largest such part is divided by `zoom`; it may reach `shift` of the picture's sides beyond, which is mirrored.
    """
    height, width = picture.shape[-2:]
    scale = min(height / shape[0], width / shape[1]) / zoom
    rows, columns = max(1, round(shape[0] * scale)), max(1, round(shape[1] * scale))
    over_y, over_x = min(int(shift * height), height - 1), min(int(shift * width), width - 1)
    top, left = round(y * (height + 2 * over_y - rows)), round(x * (width + 2 * over_x - columns))
    return scaled_part(picture, top - over_y, left - over_x, (rows, columns), *shape).clamp(0, 1)


@torch.no_grad()
def encode_pictures(backend: Backend, pictures: Tensor) -> Tensor:
    """Latents [B, C, h, w] of pictures [B, 3, H, W], float32, in main memory.

    A processor encodes in the arithmetic that it trains in (`mixed_precision`): a training rounds the latents to
    bfloat16 at the network's first layer anyway, and a view is encoded in a fifth of the time. A GPU's codec keeps the
    precision it was loaded in.
    """
    pictures = pictures.contiguous(memory_format=torch.channels_last)  # the order in which convolutions are fastest
    if torch.device(backend.denoiser.device).type != "cpu":
        return backend.codec.encode(pictures).to("cpu", torch.float32)
    with mixed_precision():
        return backend.codec.encode(pictures).to("cpu", torch.float32)
