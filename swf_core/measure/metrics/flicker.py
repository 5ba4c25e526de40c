"""Flicker of a film whose motion is known: how much a point changes from one frame to the next.

The warped difference of video style transfer (Ruder et al., arXiv 1604.08610, equation 7): the next frame is read where
each pixel has gone to, and compared with this one where both show the same.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor


def warped(picture: Tensor, flow: Tensor) -> Tensor:
    """A picture [C, H, W] read at each pixel's own place plus `flow` [H, W, 2] (right, down, in pixels), bilinear."""
    height, width = flow.shape[:2]
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    places = torch.stack([(x + flow[..., 0]) / max(width - 1, 1), (y + flow[..., 1]) / max(height - 1, 1)], -1)
    grid = (2 * places - 1)[None].to(picture)
    return F.grid_sample(picture[None], grid, padding_mode="border", align_corners=True)[0]


def warped_difference(here: Tensor, there: Tensor, flow: Tensor, seen: Tensor) -> float:
    """Mean absolute difference, in 0..1, of a frame and the next one read along `flow`, where `seen` [H, W] is true.

    0 where nothing is seen in both.
    """
    difference = (warped(there, flow) - here).abs().mean(0)
    return float(difference[seen].mean()) if bool(seen.any()) else 0.0


def flicker(frames: Sequence[Tensor], flows: Sequence[tuple[Tensor, Tensor]]) -> float:
    """The mean over a film of frames [3, H, W], with the flow and what is seen of each but the last."""
    parts = [warped_difference(a, b, *flow) for a, b, flow in zip(frames[:-1], frames[1:], flows, strict=True)]
    return sum(parts) / max(len(parts), 1)
