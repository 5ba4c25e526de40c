"""Parts of a picture scaled as products of matrices: the numbers of cutting, mirroring and Pillow's Lanczos."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from swf_core.pictures import resize
from swf_core.pictures.part import scaled_part

from support.tiny_models import picture

# Side of the picture, part, and what it is scaled to: down, up, both, not at all, by odd numbers.
CASES = [
    ((256, 256), (200, 200), (64, 64)),
    ((100, 150), (90, 70), (128, 96)),
    ((33, 47), (33, 40), (33, 80)),
    ((64, 64), (64, 64), (64, 64)),
    ((301, 97), (290, 90), (37, 41)),
    ((12, 9), (5, 7), (64, 3)),
]


@pytest.mark.parametrize(("side", "part", "out"), CASES)
@pytest.mark.parametrize("over", [0.0, 0.15])
def test_a_part_is_what_cutting_and_lanczos_give(side, part, out, over):
    pixels = torch.rand((3, *side), generator=torch.Generator().manual_seed(1))
    y, x = int(over * side[0]), int(over * side[1])
    padded = F.pad(pixels[None], (x, x, y, y), mode="reflect")[0]
    for share in (0.0, 0.3, 1.0):
        top, left = round(share * (padded.shape[1] - part[0])), round(share * (padded.shape[2] - part[1]))
        cut = padded[:, top : top + part[0], left : left + part[1]]
        ours = scaled_part(pixels, top - y, left - x, part, *out)
        assert ours.shape == (3, *out) and ours.dtype == torch.float32
        assert (ours.clamp(0, 1) - resize(cut, *out)).abs().max() < 2e-6
        assert torch.equal(ours, scaled_part(pixels, top - y, left - x, part, *out))


def test_what_is_not_scaled_is_not_changed():
    pixels = picture(1, 40, 56)
    assert torch.equal(scaled_part(pixels, 0, 0, (40, 56), 40, 56), pixels)
    mirrored = scaled_part(pixels, -3, 50, (8, 8), 8, 8)
    assert torch.equal(mirrored[:, 3:, :6], pixels[:, :5, 50:]) and torch.equal(mirrored[:, 2, :6], pixels[:, 1, 50:])
    assert torch.equal(mirrored[:, 3:, 6], pixels[:, :5, 54])
