"""Masks at other sizes: what a mask says stays true wherever it is brought."""

from __future__ import annotations

import pytest
import torch

from swf_core.masks import resize_mask
from swf_core.transfer.features import mask_to_grid
from swf_core.transfer.sizes import mask_like


@pytest.mark.parametrize("size", [(7, 5), (64, 64), (100, 30), (30, 100), (1, 1)])
def test_a_mask_of_ones_is_ones_at_any_size(size):
    assert torch.equal(resize_mask(torch.ones(64, 64), size), torch.ones(size))


def test_the_covered_share_stays_when_shrinking():
    mask = (torch.rand(256, 192, generator=torch.Generator().manual_seed(0)) > 0.7).float()
    assert resize_mask(mask, (32, 16)).mean() == pytest.approx(float(mask.mean()), abs=1e-6)


def test_a_large_fine_mask_does_not_alias_on_a_small_picture():
    rows, columns = torch.meshgrid(torch.arange(1024), torch.arange(1024), indexing="ij")
    checkerboard = ((rows + columns) % 2).float()
    assert torch.equal(resize_mask(checkerboard, (64, 64)), torch.full((64, 64), 0.5))
    assert torch.equal(mask_like(checkerboard, (64, 64), 8), torch.full((64, 64), 0.5))


def test_growing_goes_evenly_from_cell_to_cell():
    row = resize_mask(torch.tensor([[0.0, 1.0]]), (1, 8))[0]
    assert (row.diff() >= 0.0).all() and row[0] == 0.0 and row[-1] == 1.0 and 0.0 < row[3] < row[4] < 1.0


def test_one_axis_may_shrink_while_the_other_grows():
    mask = torch.zeros(8, 2)
    mask[:4] = 1.0
    assert torch.equal(resize_mask(mask, (2, 6)), torch.tensor([[1.0] * 6, [0.0] * 6]))


def test_batches_and_leading_axes_are_kept():
    masks = torch.rand(3, 1, 16, 16, generator=torch.Generator().manual_seed(1))
    small = resize_mask(masks, (4, 8))
    assert small.shape == (3, 1, 4, 8) and small.dtype == torch.float32
    assert torch.equal(small[1, 0], resize_mask(masks[1, 0], (4, 8)))


def test_every_place_uses_the_one_filter():
    """A transfer's masks on the picture and on a grid of tokens, and an edit's mask on a picture and on latents."""
    from swf_core.color.concepts import mask_on_cells

    mask = torch.rand(40, 56, generator=torch.Generator().manual_seed(2))
    for size in ((8, 16), (64, 64), (20, 80)):
        expected = resize_mask(mask, size)
        assert torch.equal(mask_to_grid(mask, size)[0].view(size), expected)
        assert torch.equal(mask_on_cells(mask, torch.zeros(1, 4, *size))[0, 0], expected)
        assert torch.equal(mask_like(mask, size, 1), expected)
