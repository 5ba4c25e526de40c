"""Moving scenes know their motion to the pixel, and flicker is what is left of it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from swf_core.measure.metrics.flicker import flicker, warped, warped_difference
from swf_core.world import render_photo
from swf_core.world.moving import moving_scene
from swf_core.world.photo import silhouette


def planes(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(array)).movedim(-1, 0)


@pytest.mark.parametrize("seed", range(6))
def test_the_flow_is_the_motion(seed: int) -> None:
    moving = moving_scene(900 + seed)
    offsets = [moving.offset(k) for k in range(4 * moving.reach + 1)]
    assert offsets[0] == offsets[-1] == 0 and max(offsets) == -min(offsets) == moving.reach
    assert {abs(b - a) for a, b in zip(offsets, offsets[1:], strict=False)} == {1}
    for frame in (0, moving.reach + 3):
        here, there = (render_photo(moving.at(frame + k))[0] for k in range(2))
        flow, seen = moving.flow(frame)
        mask = silhouette(moving.at(frame))
        assert (
            0.5 < seen.mean() < 1
            and (seen & mask).any()
            and (flow[mask, 0] == offsets[frame + 1] - offsets[frame]).all()
        )
        flow, seen = torch.from_numpy(flow), torch.from_numpy(seen)
        still = warped_difference(planes(here), planes(there), torch.zeros_like(flow), seen)
        followed = warped_difference(planes(here), planes(there), flow, seen)
        # What is left is light, which falls by place, and grain. A lighthouse's stripes look alike from side to side.
        assert followed < 0.001 and (followed < 0.5 * still or moving.scene.main.kind == "lighthouse")


def test_the_silhouette_is_the_region_maps() -> None:
    moving = moving_scene(7)
    regions = render_photo(moving.at(0))[1]
    without = render_photo(moving.at(24))[1]
    mask, other = silhouette(moving.at(0)), silhouette(moving.at(24))
    assert 0.05 < mask.mean() < 0.6
    assert (regions[~mask & ~other] == without[~mask & ~other]).all()


def test_a_film_that_stands_still_does_not_flicker_and_noise_does() -> None:
    generator = torch.Generator().manual_seed(0)
    picture, flow, seen = (
        torch.rand(3, 8, 8, generator=generator),
        torch.zeros(8, 8, 2),
        torch.ones(8, 8, dtype=torch.bool),
    )
    assert flicker([picture] * 3, [(flow, seen)] * 2) == pytest.approx(0.0, abs=1e-6)
    noise = [torch.rand(3, 8, 8, generator=generator) for _ in range(3)]
    assert flicker(noise, [(flow, seen)] * 2) == pytest.approx(1 / 3, abs=0.05)
    assert warped_difference(picture, noise[0], flow, ~seen) == 0.0
    moved = torch.full((8, 8, 2), 0.0)
    moved[..., 0] = 2.0
    assert torch.allclose(warped(picture, moved)[:, :, :6], picture[:, :, 2:], atol=1e-6)
