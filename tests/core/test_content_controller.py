"""RF-Inversion's controller on the way down: its equation, its schedule, and the content at its end."""

from __future__ import annotations

import pytest
import torch

from swf_core.models.flow import flow_time
from swf_core.transfer import TransferOptions
from swf_core.transfer.content_controller import ContentControl, Controller
from swf_core.transfer.sampler import run_sampler

from support.tiny_models import tiny_backend
from support.tiny_transfer import CONTENT, FAST, STYLE, apart
from support.tiny_transfer import run as run_unet
from support.tiny_transformers import TRANSFORMERS, tiny_transformer_backend


def run(family, options):
    if family not in TRANSFORMERS:
        return run_unet(family, options)
    from swf_core.transfer import stylize

    return stylize(tiny_transformer_backend(family), [CONTENT], [STYLE], options)


def clean(family):
    backend = tiny_transformer_backend(family) if family in TRANSFORMERS else tiny_backend(family)
    return backend.codec.encode(CONTENT[None])[0]


def drawn(eta, **more):
    return FAST.changed(adain=0.0, controller=Controller(eta, end=1.0, **more))


families = pytest.mark.parametrize("family", ["sd15", "sd2v", *TRANSFORMERS])


@families
@pytest.mark.parametrize("start", ["content", "noise"])
def test_at_full_strength_it_returns_the_picture(family, start):
    found = run(family, drawn(1.0).changed(start=start)).latents[0]
    assert torch.equal(found, clean(family))


def test_it_draws_to_the_content_in_the_styles_tones_as_far_as_the_start_has_them():
    found = run("sd15", drawn(1.0).changed(adain=1.0)).latents[0]
    style = tiny_backend("sd15").codec.encode(STYLE[None])[0]
    assert torch.allclose(found.mean((-2, -1)), style.mean((-2, -1)), atol=1e-4)
    assert torch.allclose(found.std((-2, -1)), style.std((-2, -1)), atol=1e-4)
    assert float((found - clean("sd15")).abs().max()) > 0.05


@families
def test_more_eta_is_nearer_to_the_content_and_costs_nothing(family):
    runs = [run(family, drawn(eta).changed(start="noise")) for eta in (0.0, 0.3, 0.6, 0.9)]
    gaps = [float((result.latents[0] - clean(family)).norm()) for result in runs]
    assert gaps[0] > gaps[1] > gaps[2] > gaps[3] > 0.0
    assert all(result.cost.counted == result.cost.planned == runs[0].cost.counted for result in runs)


def test_it_is_the_published_step():
    """u = v + eta * ((y - y0) / t - v), in y and t, downwards."""
    content, start = (torch.randn(1, 4, 3, 3, dtype=torch.float64) for _ in range(2))

    def x0_at(x, sigma):
        return torch.tanh(x / (1.0 + sigma) + sigma / (1.0 + sigma))

    levels = [9.0, 3.0, 1.0, 0.4, 0.1]
    steer = ContentControl(Controller(0.8, end=1.0), lambda: content, lambda sigma: 0.0).begin()
    found = run_sampler(lambda x, s: steer(s, x0_at(x, s), x, ()), [start * 10.0], levels)
    y = start
    for sigma, below in zip(levels, [*levels[1:], 0.0]):
        t = flow_time(sigma)
        v = (y - x0_at(y * (1.0 + sigma), sigma)) / t
        v = v + 0.8 * ((y - content) / t - v)
        y = y + (flow_time(below) - t) * v
    assert torch.allclose(found.double(), y, atol=1e-5)


def test_its_schedule():
    assert [Controller(0.8).eta_at(p) for p in (0.0, 0.2, 0.21, 1.0)] == [0.8, 0.8, 0.0, 0.0]
    rising, falling = (Controller(0.8, 0.2, 0.6, fade) for fade in ("rising", "falling"))
    assert [rising.eta_at(p) for p in (0.1, 0.2, 0.4, 0.6, 0.7)] == pytest.approx([0, 0, 0.4, 0.8, 0])
    assert [falling.eta_at(p) for p in (0.1, 0.2, 0.4, 0.6, 0.7)] == pytest.approx([0, 0.8, 0.4, 0, 0])
    published = FAST.changed(adain=0.0, controller=Controller(0.8))
    assert 1e-3 < apart(run("sd15", published), run("sd15", FAST.changed(adain=0.0)))


def test_refusals_and_keys():
    with pytest.raises(ValueError, match="The controller's eta is 2; it must be between 0"):
        Controller(2)
    with pytest.raises(ValueError, match=r"acts from 0.5 to 0.5 of the schedule; give 0 <= start < end <= 1"):
        Controller(0.5, 0.5, 0.5)
    with pytest.raises(ValueError, match="fade is 'up'; use one of constant, rising, falling"):
        Controller(0.5, fade="up")
    assert "controller" not in repr(TransferOptions()) and "controller" in repr(drawn(0.5))
    assert drawn(0.5).without_content().controller == Controller()
