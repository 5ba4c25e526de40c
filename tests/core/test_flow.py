"""Rectified flow in sigma space: the same latents, the same steps."""

from __future__ import annotations

import pytest
import torch
from diffusers import FlowMatchEulerDiscreteScheduler

from swf_core.models.flow import flow_input, flow_sigma, flow_sigmas, flow_time, x0_from_velocity
from swf_core.transfer.inversion import invert
from swf_core.transfer.sampler import run_sampler
from swf_core.transfer.sigmas import schedule
from swf_core.transfer.trajectory import Encoding

WEIGHTS = torch.randn(4, 4, generator=torch.Generator().manual_seed(9)) * 0.4


def draw(seed):
    return torch.randn(2, 4, 6, 5, generator=torch.Generator().manual_seed(seed))


def velocity(x_t, t):
    """A velocity field that is no straight line."""
    return torch.tanh(torch.einsum("ij,bjhw->bihw", WEIGHTS.to(x_t), x_t) + 2.0 * t) - 0.5 * x_t


def evaluate(x, sigma):
    x_t = flow_input(x, sigma)
    return x0_from_velocity(x_t, sigma, velocity(x_t, flow_time(sigma)))


def test_sigma_space_holds_a_flows_latents():
    x0, eps = draw(0), draw(1)
    for t in (0.0, 0.1, 0.5, 0.99):
        sigma = flow_sigma(t)
        assert flow_time(sigma) == pytest.approx(t, abs=1e-12)
        assert torch.allclose(flow_input(x0 + sigma * eps, sigma), (1 - t) * x0 + t * eps, atol=1e-5)
        assert torch.allclose(x0_from_velocity((1 - t) * x0 + t * eps, sigma, eps - x0), x0, atol=1e-5)


def test_ddim_in_sigma_space_is_euler_on_the_flow():
    times = [0.98, 0.8, 0.55, 0.3, 0.1]
    levels = [flow_sigma(t) for t in times]
    x_t = draw(2).double()
    for end in (0.0, 0.05):
        expected = x_t
        for here, there in zip(times, [*times[1:], end]):
            expected = expected + (there - here) * velocity(expected, here)
        found = run_sampler(evaluate, [x_t * (1 + levels[0])], levels, end=flow_sigma(end))
        assert torch.allclose(flow_input(found, flow_sigma(end)).double(), expected, atol=1e-5)


def test_it_is_diffusers_flow_scheduler():
    table = flow_sigmas()
    levels = schedule(table, 6, "trailing")
    scheduler = FlowMatchEulerDiscreteScheduler()
    scheduler.set_timesteps(sigmas=[flow_time(sigma) for sigma in levels])
    sample = draw(3)
    found = run_sampler(evaluate, [sample * (1 + levels[0])], levels)
    for step in scheduler.timesteps:
        sample = scheduler.step(velocity(sample, float(step) / 1000), step, sample, return_dict=False)[0]
    assert torch.allclose(found, sample, atol=1e-5)


@pytest.mark.parametrize("shift", [1.0, 3.0])
def test_the_table_is_finite_and_rises(shift):
    table = flow_sigmas(shift)
    assert table.dtype == torch.float64 and len(table) == 1000
    assert torch.isfinite(table).all() and (table.diff() > 0).all()
    assert float(table[-1]) == pytest.approx(199)
    half = float(table[499]) / float(table[499] + 1)
    assert half == pytest.approx({1.0: 0.4975, 3.0: 0.74441}[shift], abs=1e-4)


def test_inversion_and_sampling_come_nearer_with_more_steps():
    """First order, as Euler is: half the step, half the error."""
    errors = []
    for steps in (16, 32, 64):
        levels = [flow_sigma(0.9 * (i + 1) / steps) for i in range(steps)][::-1]
        rising = levels[::-1]
        encoding = Encoding("ddim")
        found = invert(encoding, lambda x, s, own: evaluate(x, s), draw(4), rising, noise=draw(5), smallest=rising[0])
        back = run_sampler(evaluate, [found.at(levels[0])], levels)
        errors.append(float((back - draw(4)).abs().max()))
    assert errors[0] > errors[1] > errors[2]
    assert 1.6 < errors[0] / errors[1] < 2.4 and 1.6 < errors[1] / errors[2] < 2.4


def test_bad_times_and_shifts_are_refused():
    with pytest.raises(ValueError, match="must be at least 0 and below 1"):
        flow_sigma(1.0)
    with pytest.raises(ValueError, match="shift is 0"):
        flow_sigmas(0.0)
