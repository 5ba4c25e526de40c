"""The contents of a run, fitted to their size and put together into batches of equal size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import UserError
from ..models.round_trip import pad_to_cells
from . import randomness
from .context import TransferContext
from .inputs import Content
from .sizes import mask_like, to_long_side


@dataclass(frozen=True, eq=False)
class ContentBatch:
    """Contents that run in one network call, their pictures padded to whole latent cells.

    `indices`: which contents of the run; `sizes_px`: (height, width) of each before padding, `padded_px` of all after
    it. `pictures` [B, 3, H, W], None where results are sampled from noise. `place`: mask [B, H, W] or None. `seeds`: of
    each one's noise; `noises`: its noise by use, where it brings its own.
    """

    indices: list[int]
    sizes_px: list[tuple[int, int]]
    padded_px: tuple[int, int]
    pictures: Tensor | None
    prompts: list[str]
    place: Tensor | None
    seeds: list[int]
    noises: list[Mapping[int, Tensor] | None]

    def noise_like(self, latents: Tensor, use: int) -> Tensor:
        """Unit noise for latents [B, C, h, w] of these contents. Raises ValueError (UserError) for one of another
        size."""
        rows = [self._noise(latents[:1], row, use) for row in range(self.rows)]
        return torch.cat(rows)

    def _noise(self, one: Tensor, row: int, use: int) -> Tensor:
        given = self.noises[row]
        if given is None:
            return randomness.noise_like(one, self.seeds[row], use)
        noise = given[use][None]
        if noise.shape != one.shape:
            want = tuple(one.shape[1:])
            raise UserError(f"Noise of shape {tuple(noise.shape[1:])} was given for a latent of {want}; give its size.")
        return noise.to(one)

    @property
    def rows(self) -> int:
        """How many contents."""
        return len(self.indices)


def content_batches(contents: Sequence[Content], context: TransferContext) -> list[ContentBatch]:
    """Contents of equal padded size together, at most `options.batch` of them, in order of first appearance."""
    cell, device = context.cell_px, context.models.generation.denoiser.device
    fitted = [None if c.picture is None else to_long_side(c.picture, context.side_px) for c in contents]
    sizes = [_empty_size(context) if p is None else (int(p.shape[-2]), int(p.shape[-1])) for p in fitted]
    padded = [(height + -height % cell, width + -width % cell) for height, width in sizes]
    by_size: dict[tuple[int, int], list[int]] = {}
    for index, size in enumerate(padded):
        by_size.setdefault(size, []).append(index)
    step = context.options.batch
    groups = [group[i : i + step] for group in by_size.values() for i in range(0, len(group), step)]
    batches = []
    for group in groups:
        pictures = [pad_to_cells(picture, cell) for i in group if (picture := fitted[i]) is not None]
        batches.append(
            ContentBatch(
                group,
                [sizes[i] for i in group],
                padded[group[0]],
                torch.stack(pictures).to(device) if pictures else None,
                [contents[i].prompt for i in group],
                stack_places([contents[i].place for i in group], [sizes[i] for i in group], cell),
                [context.seed if (seed := contents[i].seed) is None else seed for i in group],
                [contents[i].noise for i in group],
            )
        )
    return batches


def stack_places(masks: Sequence[Tensor | None], sizes_px: Sequence[tuple[int, int]], cell_px: int) -> Tensor | None:
    """Masks at any resolution, None for everywhere, fitted to pictures that fill the same cells: [B, H, W] or None."""
    if all(mask is None for mask in masks):
        return None
    full = [torch.ones(size) if mask is None else mask for mask, size in zip(masks, sizes_px)]
    return torch.stack([mask_like(mask.cpu(), size, cell_px) for mask, size in zip(full, sizes_px)])


def _empty_size(context: TransferContext) -> tuple[int, int]:
    side = context.side_px or context.models.generation.native_size_px
    if side % context.cell_px:
        raise UserError(f"The size is {side}; without a content picture it must be a multiple of {context.cell_px}.")
    return side, side
