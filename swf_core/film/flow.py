"""Optical flow: where each pixel of a frame has gone to in the next, from coarse to fine by least squares.

Horn and Schunck (1981) with the data of a small window, as in combined local-global flow (Bruhn et al., IJCV 2005),
their weight made independent of contrast (Zimmer et al., IJCV 2011), and with smoothness that stops where the picture's
color changes: a way then fills a thing that has no texture, and no more. A pyramid for large ways; between its steps a
median cleans the field (Sun et al., CVPR 2010).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

FLOW_PX = 192  # long side of the pictures that are compared; larger ones are reduced
COARSEST_PX = 16  # short side of the pyramid's smallest picture, at least
WARPS, SWEEPS = 3, 30  # at each size: how often the next frame is read anew, and sweeps of the solver each time
REACH = 2.0  # pixels that a way changes at most by each reading
FAINT = 0.01  # slope of a channel in 0..1 below which there is no texture
SMOOTH, EDGE = 0.1, 0.03  # weight of smoothness; the change of color that halves it
ALIKE = 0.1  # how different, in 0..1, the same place may look in both frames


@dataclass(frozen=True, eq=False)
class Flow:
    """Ways [H, W, 2] (right, down, in pixels) from one frame to the next, and `seen` [H, W]: whether the pixel is in
    both and its way is trusted."""

    ways: Tensor
    seen: Tensor


def flow_between(here: Tensor, there: Tensor) -> Flow:
    """The flow from a frame [3, H, W] in 0..1 to the next one, of the same size, on the CPU.

    A way is trusted where the way back returns (Sundaram et al., ECCV 2010) and the surroundings look alike.
    """
    height, width = here.shape[-2:]
    factor = min(1.0, FLOW_PX / max(height, width))
    size = [max(8, round(height * factor)), max(8, round(width * factor))]
    a, b = _small(here, size), _small(there, size)
    forth, back = _ways(a, b), _ways(b, a)
    returned = warp(back, forth)
    gap = (forth + returned).square().sum(1)
    length = forth.square().sum(1) + returned.square().sum(1)
    different = _mean_around((warp(b, forth) - a).abs().mean(1, keepdim=True))[:, 0]
    seen = (gap < 0.01 * length + 0.5) & (different < ALIKE) & _inside(forth)
    scale = torch.tensor([width / size[1], height / size[0]]).view(1, 2, 1, 1)
    ways = F.interpolate(forth * scale, [height, width], mode="bilinear", align_corners=False)
    known = F.interpolate(seen[None].float(), [height, width], mode="nearest")[0, 0] > 0.5
    return Flow(ways[0].movedim(0, -1).contiguous(), known)


def warp(picture: Tensor, ways: Tensor) -> Tensor:
    """A picture [1, C, h, w] read at each pixel's place plus `ways` [1, 2, h, w], bilinear, edges going on."""
    grid = (_places(ways) + ways).movedim(1, -1)
    size = torch.tensor([max(ways.shape[-1] - 1, 1), max(ways.shape[-2] - 1, 1)])
    return F.grid_sample(picture, 2 * grid / size - 1, padding_mode="border", align_corners=True)


def _ways(here: Tensor, there: Tensor) -> Tensor:
    """Ways [1, 2, h, w] between pictures [1, 3, h, w], from the coarsest pair down."""
    pyramid = [(here, there)]
    while min(pyramid[-1][0].shape[-2:]) >= 2 * COARSEST_PX:
        small, large = (F.avg_pool2d(_blurred(each), 2, ceil_mode=True) for each in pyramid[-1])
        pyramid.append((small, large))
    ways = torch.zeros(1, 2, *pyramid[-1][0].shape[-2:])
    for a, b in reversed(pyramid):
        if ways.shape[-2:] != a.shape[-2:]:
            ways = 2 * F.interpolate(ways, a.shape[-2:], mode="bilinear", align_corners=False)
        ways = _improved(a, b, ways)
    return ways


def _improved(here: Tensor, there: Tensor, ways: Tensor) -> Tensor:
    """The steps at one size: A ways + smoothness = b, by Jacobi's sweeps. What leaves the picture has no data."""
    right, down = _slopes(here)
    even = 1.0 / (right * right + down * down + FAINT**2)
    links = _links(here)
    total = SMOOTH * sum(links)
    for _ in range(WARPS):
        before, weight = ways, even * _inside(ways)[:, None]
        late = right * ways[:, :1] + down * ways[:, 1:] - (warp(there, ways) - here)
        products = (right * right, right * down, down * down, right * late, down * late)
        xx, xy, yy, x, y = (_local(weight * each) for each in products)
        a, c = xx + total, yy + total
        inverse = 1.0 / (a * c - xy * xy)
        for _ in range(SWEEPS):
            around = SMOOTH * _gathered(ways, links)
            bx, by = x + around[:, :1], y + around[:, 1:]
            ways = torch.cat([(c * bx - xy * by) * inverse, (a * by - xy * bx) * inverse], 1)
        ways = _median(before + (ways - before).clamp(-REACH, REACH))
    return ways


def _links(picture: Tensor) -> list[Tensor]:
    """How firmly a pixel holds to its four neighbors: [1, 1, h, w] in 0..1 for left, right, up and down."""
    sides = []
    for neighbor in _neighbors(picture):
        change = (neighbor - picture).square().sum(1, keepdim=True)
        sides.append(1.0 / (1.0 + change / EDGE**2) + 1e-3)
    return sides


def _gathered(ways: Tensor, links: list[Tensor]) -> Tensor:
    return torch.stack([link * each for link, each in zip(links, _neighbors(ways), strict=True)]).sum(0)


def _neighbors(maps: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Left, right, upper and lower neighbors; a border's is itself."""
    p = F.pad(maps, (1, 1, 1, 1), mode="replicate")
    return p[..., 1:-1, :-2], p[..., 1:-1, 2:], p[..., :-2, 1:-1], p[..., 2:, 1:-1]


def _slopes(picture: Tensor) -> tuple[Tensor, Tensor]:
    """Central differences to the right and down."""
    left, right, up, down = _neighbors(picture)
    return (right - left) / 2, (down - up) / 2


def _small(picture: Tensor, size: list[int]) -> Tensor:
    small = picture.detach().cpu().float()[None]
    if list(small.shape[-2:]) != size:
        small = F.interpolate(small, size, mode="bilinear", align_corners=False, antialias=True)
    return _blurred(small)


def _blurred(picture: Tensor) -> Tensor:
    """By 1, 2, 1 in both directions."""
    left, right, _, _ = _neighbors(picture)
    rows = picture / 2 + (left + right) / 4
    _, _, up, down = _neighbors(rows)
    return rows / 2 + (up + down) / 4


def _local(maps: Tensor) -> Tensor:
    """The mean of 3 x 3, over channels too: [1, 1, h, w]."""
    return F.avg_pool2d(F.pad(maps.mean(1, keepdim=True), (1, 1, 1, 1), mode="replicate"), 3, stride=1)


def _mean_around(maps: Tensor) -> Tensor:
    """The mean of 7 x 7."""
    return F.avg_pool2d(F.pad(maps, (3, 3, 3, 3), mode="replicate"), 7, stride=1)


def _median(ways: Tensor) -> Tensor:
    """The median of 3 x 3, each direction on its own."""
    parts = F.unfold(F.pad(ways, (1, 1, 1, 1), mode="replicate"), 3).view(2, 9, -1)
    return parts.median(1).values.view_as(ways)


def _places(ways: Tensor) -> Tensor:
    rows, columns = torch.arange(ways.shape[-2]), torch.arange(ways.shape[-1])
    down, right = torch.meshgrid(rows, columns, indexing="ij")
    return torch.stack([right, down])[None].float()


def _inside(ways: Tensor) -> Tensor:
    places, (height, width) = _places(ways) + ways, ways.shape[-2:]
    x, y = places[:, 0], places[:, 1]
    return (x > -0.5) & (x < width - 0.5) & (y > -0.5) & (y < height - 0.5)
