"""Color as a model's latents hold it: maps between OKLab and a codec's channels.

An autoencoder of four channels keeps color nearly linearly (which is why previews from latents work). So a change of
color can be made on latents while sampling, in microseconds, where decoding would cost more than the network.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ..models.contracts import Codec
from .spaces import from_oklab, to_oklab

# Patches of flat color: lightnesses, and chromas on a ring of hues. Each covers CELLS x CELLS latent cells, of which
# the middle is read: the codec's borders bleed.
LIGHTNESSES = (0.25, 0.4, 0.55, 0.7, 0.85)
CHROMAS, HUES = (0.05, 0.11), 6
CELLS = 4
# Painters of the pictures beside them: smooth, rough, lined, flat.
PAINTED = ("photo", "oil", "photo", "pencil", "watercolour", "photo", "papercut", "mosaic")


@dataclass(frozen=True)
class Axes:
    """`out` [C, 3]: latent per OKLab, a line; `into` [3, F]: OKLab from the products of latents of `_products`.

    Reading wants the squares: without them, saturated reds are read as half as red.
    """

    out: Tensor
    into: Tensor

    @staticmethod
    def of(codec: Codec, device: torch.device | None = None) -> Axes:
        """Fitted by least squares on flat patches and on cells of small pictures sent through the codec.

        Patches alone say how latents answer a color; pictures, how latents of drawn things are read.
        """
        flat, painted = patches(codec, device), pictures(codec, device)
        copies = max(1, len(painted[0]) // len(flat[0]))
        latents, lab = (torch.cat([a.repeat(copies, 1), b]) for a, b in zip(flat, painted))
        return Axes.fit(latents, lab)

    @staticmethod
    def fit(latents: Tensor, lab: Tensor) -> Axes:
        """From latents [n, C] of known colors [n, 3]."""
        ones = torch.ones(len(lab), 1, dtype=torch.float64)
        latents, lab = latents.double().cpu(), lab.double().cpu()
        out = torch.linalg.lstsq(torch.cat([lab, ones], 1), latents).solution
        into = torch.linalg.lstsq(_products(latents.T).T, lab).solution
        return Axes(out[:3].T.float(), into.T.float())

    def colors(self, latents: Tensor) -> Tensor:
        """OKLab [B, 3, h, w] of latents [B, C, h, w], one color a cell."""
        rows = [self.into.to(latents) @ _products(row.flatten(1)) for row in latents]
        return torch.stack(rows).view(len(latents), 3, *latents.shape[-2:])

    def change(self, lab: Tensor) -> Tensor:
        """The change of latents [B, C, h, w] that changes colors by `lab` [B, 3, h, w]."""
        return torch.einsum("ck,bkhw->bchw", self.out.to(lab), lab)


def _products(latents: Tensor) -> Tensor:
    """1, every channel, and every product of two, [F, n], of latents [C, n]."""
    first, second = torch.triu_indices(len(latents), len(latents))
    return torch.cat([torch.ones_like(latents[:1]), latents, latents[first] * latents[second]])


def pictures(codec: Codec, device: torch.device | None = None) -> tuple[Tensor, Tensor]:
    """Latents [n, C] of the cells of a few painted scenes, and the mean colors [n, 3] of those cells in OKLab."""
    from ..world import random_look, random_scene, render

    side = 16 * codec.downscale
    painted = [render(random_scene(k), random_look(style, k, "natural"), side) for k, style in enumerate(PAINTED)]
    images = torch.stack([torch.from_numpy(p.transpose(2, 0, 1).copy()) for p in painted])
    latents = codec.encode(images if device is None else images.to(device)).float().cpu()
    colors = F.avg_pool2d(torch.stack([to_oklab(image) for image in images]), codec.downscale)
    cells, lab = (x.permute(0, 2, 3, 1).reshape(-1, x.shape[1]) for x in (latents, colors))
    return cells, lab


def patches(codec: Codec, device: torch.device | None = None) -> tuple[Tensor, Tensor]:
    """Latents [n, C] of flat colors, and the colors [n, 3] in OKLab."""
    lab = []
    for lightness in LIGHTNESSES:
        lab.append((lightness, 0.0, 0.0))
        for chroma in CHROMAS:
            for k in range(HUES):
                angle = torch.tensor(6.283185307179586 * (k + 0.5 * (chroma == CHROMAS[1])) / HUES)
                lab.append((lightness, chroma * float(angle.cos()), chroma * float(angle.sin())))
    srgb = from_oklab(torch.tensor(lab).T)  # what the gamut does not hold is nearer to grey
    side, across = CELLS * codec.downscale, 5
    down = -(-srgb.shape[1] // across)
    image = torch.full((3, down * across), 0.5)
    image[:, : srgb.shape[1]] = srgb
    image = image.view(3, down, across).repeat_interleave(side, 1).repeat_interleave(side, 2)
    latents = codec.encode(image[None] if device is None else image[None].to(device)).float().cpu()[0]
    middle = latents.view(latents.shape[0], down, CELLS, across, CELLS)[:, :, CELLS // 2, :, CELLS // 2]
    return middle.reshape(latents.shape[0], -1).T[: srgb.shape[1]], to_oklab(srgb).T
