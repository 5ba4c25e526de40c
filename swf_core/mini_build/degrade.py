"""Pictures made worse in many ways, each picture in its own: what autoencoders and diffusion models do to fine detail.

The classifier learns on these, so that it knows a style by its marks and not by how crisp their borders are. Nothing
here is one of the models it measures: blurs, medians, resampling and coarse cosine transforms stand in for them all.
"""

from __future__ import annotations

import numpy as np
import torch
from scipy.fft import dct
from torch import Tensor
from torch.nn import functional as F

CELL = 8  # pixels of a block of the cosine transform: a latent cell of the models that are measured


def degrade(batch: Tensor, rng: np.random.Generator, plain: float = 0.2) -> Tensor:
    """Degrade each of [B, 3, S, S] (0..1, S a multiple of 8) by a way drawn at random; a share `plain` stays as is."""
    out = batch.clone()
    ways = (None, blur, median, resample, coarse_cosines)
    chosen = rng.choice(len(ways), len(batch), p=[plain, *[(1 - plain) * w for w in (0.2, 0.15, 0.25, 0.4)]])
    for k, way in enumerate(ways):
        index = torch.from_numpy(np.flatnonzero(chosen == k))
        if way and len(index):
            out[index] = way(batch[index], rng)
    return out


def blur(batch: Tensor, rng: np.random.Generator) -> Tensor:
    """Gaussian, sigma 0.5 to 2.5 px."""
    sigma = torch.from_numpy(rng.uniform(0.5, 2.5, len(batch))).float()
    x = torch.arange(-6, 7).float()
    kernel = torch.exp(-0.5 * (x[None] / sigma[:, None]) ** 2)
    kernel = (kernel / kernel.sum(1, keepdim=True)).repeat_interleave(batch.shape[1], 0)[:, None]
    flat = F.pad(batch.flatten(0, 1)[None], (6, 6, 6, 6), mode="reflect")
    flat = F.conv2d(flat, kernel[:, :, None], groups=len(kernel))
    return F.conv2d(flat, kernel[:, :, :, None], groups=len(kernel))[0].view_as(batch)


def median(batch: Tensor, rng: np.random.Generator) -> Tensor:
    """Median over 3 x 3, once to three times: thin lines go, borders stay."""
    for _ in range(int(rng.integers(1, 4))):
        padded = F.pad(batch, (1, 1, 1, 1), mode="reflect")
        windows = padded.unfold(2, 3, 1).unfold(3, 3, 1).flatten(-2)
        batch = windows.median(-1).values
    return batch


def resample(batch: Tensor, rng: np.random.Generator) -> Tensor:
    """Down to 28 to 90 % and up again, a size for every four pictures."""
    parts = []
    for part in batch.split(4):
        side = int(part.shape[-1] * rng.uniform(0.28, 0.9))
        small = F.interpolate(part, (side, side), mode="bilinear", antialias=True, align_corners=False)
        parts.append(F.interpolate(small, part.shape[-2:], mode="bicubic", align_corners=False))
    return torch.cat(parts)


def coarse_cosines(batch: Tensor, rng: np.random.Generator) -> Tensor:
    """Blocks of 8 x 8 that keep a few low frequencies, 2 to 5 diagonals of the cosine transform, roughly quantized."""
    b, c, h, w = batch.shape
    matrix = torch.from_numpy(dct(np.eye(CELL), axis=0, norm="ortho")).float()
    shift = tuple(int(v) for v in rng.integers(0, CELL, 2))
    blocks = batch.roll(shift, (2, 3)).view(b, c, h // CELL, CELL, w // CELL, CELL)
    spectrum = torch.einsum("ui,bchiwj,vj->bchuwv", matrix, blocks, matrix)
    u = torch.arange(CELL)
    low = (u[:, None] + u[None]) < torch.from_numpy(rng.integers(2, 6, b)).view(b, 1, 1)
    step = torch.from_numpy(rng.uniform(0.02, 0.25, b)).float().view(b, 1, 1, 1, 1, 1)
    spectrum = (spectrum / step).round() * step * low.view(b, 1, 1, CELL, 1, CELL)
    blocks = torch.einsum("ui,bchuwv,vj->bchiwj", matrix, spectrum, matrix)
    # Models leave no seams between cells: a slight blur takes them away.
    smooth = F.avg_pool2d(F.pad(blocks.reshape(b, c, h, w), (1, 1, 1, 1), mode="reflect"), 3, stride=1)
    return smooth.roll((-shift[0], -shift[1]), (2, 3))
