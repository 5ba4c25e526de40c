"""Palettes: a few OKLab colors with their shares, found in a picture or given as hex codes and names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import UserError
from .spaces import from_oklab, to_oklab

MOST = 32
# Pixels that a palette is found from, evenly spread over the picture.
SAMPLED = 1 << 13
ITERATIONS = 16


@dataclass(frozen=True)
class Palette:
    """`colors`: OKLab [k, 3]; `shares` [k], which sum to 1, or None where a person named colors and no amounts."""

    colors: Tensor
    shares: Tensor | None = None

    def __len__(self) -> int:
        return len(self.colors)

    @property
    def codes(self) -> list[str]:
        """The colors as hex codes, "#rrggbb"."""
        levels = (from_oklab(self.colors.T).T * 255).round().int().tolist()
        return ["#" + "".join(f"{v:02x}" for v in row) for row in levels]

    def weights(self) -> Tensor:
        """The shares, equal ones where there are none."""
        return torch.full((len(self),), 1.0 / len(self)) if self.shares is None else self.shares


def sampled_pixels(picture: Tensor, mask: Tensor | None = None, most: int = SAMPLED) -> tuple[Tensor, Tensor]:
    """Colors [n, 3] in OKLab and their weights [n], evenly taken from a picture [3, H, W], or from its mask [H, W].

    Raises ValueError (UserError) when the mask is 0 everywhere.
    """
    flat = picture.reshape(3, -1).float().cpu()
    weights = None if mask is None else mask.reshape(-1).float().cpu()
    if weights is not None:
        inside = (weights > 0.0).nonzero()[:, 0]
        if not len(inside):
            raise UserError("The mask is empty: it is 0 everywhere; leave some of the picture in it, or give no mask.")
        flat, weights = flat[:, inside], weights[inside]
    if flat.shape[1] > most:
        # A golden-ratio walk: even over the picture, and in step with no regular pattern in it.
        indices = (torch.arange(most, dtype=torch.float64) * 0.6180339887498949 % 1.0 * flat.shape[1]).long()
        flat, weights = flat[:, indices], None if weights is None else weights[indices]
    return to_oklab(flat).T.contiguous(), torch.ones(flat.shape[1]) if weights is None else weights


def extract(picture: Tensor, count: int = 6, mask: Tensor | None = None) -> Palette:
    """At most `count` colors of a picture [3, H, W] in 0..1 by k-means in OKLab, the most frequent first.

    Deterministic: the first centre is the mean, each further one the pixel farthest from those before, in proportion to
    its weight. A picture with fewer colors gives fewer.
    Raises ValueError (UserError) for a count outside 1..32 or an empty mask.
    """
    if not 1 <= count <= MOST:
        raise UserError(f"{count} colors were asked for; a palette has 1 to {MOST}.")
    return summary(*sampled_pixels(picture, mask), count)


def summary(points: Tensor, weights: Tensor, count: int, iterations: int = ITERATIONS) -> Palette:
    """`extract` for colors [n, 3] with weights [n]."""
    centres = _first_centres(points, weights, count)
    planes, weighted = points.T.contiguous(), torch.cat([points * weights[:, None], weights[:, None]], 1)
    for _ in range(iterations):
        total = _members(planes, centres) @ weighted  # [k, 4]: the sum of a centre's colors, and its mass
        mass = total[:, 3]
        moved = total[mass > 0, :3] / mass[mass > 0, None]
        if moved.shape == centres.shape and float((moved - centres).abs().max()) < 1e-5:
            break
        centres = moved
    mass = _members(planes, centres) @ weights
    order = mass.argsort(descending=True, stable=True)
    order = order[mass[order] > 0]
    return Palette(centres[order], mass[order] / mass.sum())


def _members(planes: Tensor, centres: Tensor) -> Tensor:
    """1 where a centre [k, 3] is the nearest to a color of planes [3, n], else 0: [k, n]. One that lies between two
    belongs to both. A quarter of the time of finding indices and adding by them."""
    # -|x - c|^2 / 2 without |x|^2, which is the same for all centres
    nearness = torch.addmm(-0.5 * centres.square().sum(1, keepdim=True), centres, planes)
    return nearness.sub_(nearness.amax(0)).ge_(0.0)


def nearest_centre(points: Tensor, centres: Tensor) -> Tensor:
    """Which of `centres` [k, 3] is nearest to each of `points` [n, 3]: [n]."""
    return torch.cdist(centres, points).min(0).indices  # a lot faster along the first side than along the last


def _first_centres(points: Tensor, weights: Tensor, count: int) -> Tensor:
    """First centres: the mean, then always the point with the greatest squared distance to its nearest centre, among a
    coarse summary of the points so that one odd pixel is no centre."""
    key = (points * 24).round().long() + 512
    # As one number each: rows would be sorted, which takes a hundred times as long.
    cells, which = torch.unique(key[:, 0] << 20 | key[:, 1] << 10 | key[:, 2], return_inverse=True)
    mass = torch.zeros(len(cells)).index_add_(0, which, weights)
    middle = torch.zeros(len(cells), 3).index_add_(0, which, points * weights[:, None]) / mass[:, None]
    centres = (middle * mass[:, None]).sum(0, keepdim=True) / mass.sum()
    while len(centres) < count:
        distances = torch.cdist(middle, centres).amin(1).square() * mass.sqrt()
        if float(distances.max()) < 1e-9:
            break
        centres = torch.cat([centres, middle[distances.argmax()][None]])
    return centres


def split_colors(text: str) -> list[str]:
    """The pieces of a written palette: between commas, semicolons and lines, but not inside "hsl(40, 90%, 60%)"."""
    return [piece.strip() for piece in re.split(r"[,;\n](?![^(]*\))", text) if piece.strip()]


def parse(text: str | Sequence[str]) -> Palette:
    """A palette from "#1d3557, tomato 30%, hsl(40, 90%, 60%)": hex codes, CSS names or functions, commas, semicolons or
    lines between, each with an optional share in per cent (then all must have one).

    Raises ValueError (UserError) naming the first piece that is no color, or a bad number of them.
    """
    from PIL import ImageColor

    colors, shares = [], []
    for piece in split_colors(text) if isinstance(text, str) else text:
        share = re.search(r"\s+([\d.]+)\s*%$", piece)
        name = piece[: share.start()] if share else piece
        name = name.strip().lower()
        if re.fullmatch(r"(?:[0-9a-f]{3}){1,2}", name):
            name = f"#{name}"
        try:
            red, green, blue = ImageColor.getrgb(name)[:3]
        except ValueError as error:
            raise UserError(
                f"{piece!r} is no color; give hex codes such as #1d3557 or names such as tomato, with commas between."
            ) from error
        colors.append([red / 255, green / 255, blue / 255])
        if share:
            shares.append(float(share[1]))
    if not 1 <= len(colors) <= MOST:
        raise UserError(f"The palette has {len(colors)} colors; give 1 to {MOST}.")
    if shares and (len(shares) != len(colors) or sum(shares) <= 0):
        raise UserError(f"{len(shares)} of {len(colors)} colors have a share; give every color one, or none.")
    lab = to_oklab(torch.tensor(colors, dtype=torch.float32).T).T.contiguous()
    return Palette(lab, torch.tensor(shares) / sum(shares) if shares else None)
