"""Noise from explicit generators on the CPU: same seed, same bytes, on any device and in any batch."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

# One stream per use, so that switching one use on or off never changes another.
CONTENT, STYLE, START, DAMPING, SAMPLE, STEP, EDIT = range(7)


def stream_seed(seed: int, stream: int, index: int = 0) -> int:
    """The seed of one stream of a run, for who draws from a generator of his own."""
    return (seed * 1_000_003 + stream * 10_007 + index) % 2**63


def noise_like(latents: Tensor, seed: int | Sequence[int], stream: int, index: int = 0) -> Tensor:
    """Unit Gaussian noise: one draw of [1, C, h, w] for all rows of `latents`, or a draw for each row by its own seed.

    So a picture's result does not depend on what else is in its batch.
    """
    if not isinstance(seed, int):
        return torch.cat([noise_like(latents[:1], each, stream, index) for each in seed])
    generator = torch.Generator("cpu").manual_seed(stream_seed(seed, stream, index))
    noise = torch.randn((1, *latents.shape[1:]), generator=generator)
    return noise.to(latents.device).expand_as(latents)
