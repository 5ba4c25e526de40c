"""Inversion: exact methods return, refinement helps, more steps help."""

from __future__ import annotations

import pytest
import torch

from swf_core.models.diffusers_backend import sigmas_from_config
from swf_core.models.preconditioning import nearest_timestep
from swf_core.transfer import randomness
from swf_core.transfer.inversion import encode_stochastic, invert, invert_bdia, invert_ddim, replay_bdia
from swf_core.transfer.sampler import run_sampler
from swf_core.transfer.sigmas import partial, percent_to_sigma, schedule, travelled
from swf_core.transfer.styleid import styleid_levels
from swf_core.transfer.trajectory import ENCODINGS, Encoding

from support.tiny_models import FAMILIES, picture, tiny_backend

TABLE = sigmas_from_config({})
SMALLEST = float(TABLE[0])


def setting(family):
    backend = tiny_backend(family)
    clean = backend.codec.encode(picture(1)[None])
    cond = backend.text.encode([""], 64, 64)
    return clean, lambda x, sigma, own=True: backend.denoiser.denoise(x, sigma, cond)


def rising(steps):
    return schedule(TABLE, steps)[::-1]


def ddim_error(family, steps, **options):
    clean, evaluate = setting(family)
    path = invert_ddim(evaluate, clean, rising(steps), smallest=SMALLEST, **options)
    back = run_sampler(evaluate, [path.at(rising(steps)[-1])], schedule(TABLE, steps))
    return float((back - clean).norm() / clean.norm())


def smooth_model():
    """A deterministic noise predictor that is smooth in its input: tanh of a fixed mixture of the channels."""
    mixture = 0.5 * torch.randn(4, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)

    def evaluate(x, sigma, own=True):
        scaled = x.double() / (sigma**2 + 1) ** 0.5
        return (x - sigma * torch.tanh(torch.einsum("ij,bjhw->bihw", mixture, scaled))).to(x.dtype)

    return torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(1)), evaluate


def test_inversion_of_a_smooth_model():
    clean, evaluate = smooth_model()

    def error(steps, refinements=0):
        path = invert_ddim(evaluate, clean, rising(steps), smallest=SMALLEST, refinements=refinements)
        back = run_sampler(evaluate, [path.at(rising(steps)[-1])], schedule(TABLE, steps))
        return float((back - clean).norm() / clean.norm())

    by_steps = [error(n) for n in (10, 20, 40, 80)]
    assert all(more < fewer for fewer, more in zip(by_steps, by_steps[1:]))
    refined = [error(40, k) for k in (0, 1, 2, 4, 8)]
    assert all(more < 0.5 * fewer for fewer, more in zip(refined, refined[1:]))
    assert refined[-1] < 1e-4
    path = invert_bdia(evaluate, clean, rising(40), smallest=SMALLEST)
    assert float((replay_bdia(evaluate, path, rising(40)) - clean).abs().max()) < 1e-12


@pytest.mark.parametrize("family", FAMILIES)
def test_ddim_error_falls_with_steps_and_with_refinement(family):
    assert ddim_error(family, 40) < ddim_error(family, 5)  # no 1/N law: random networks are not smooth
    plain, often = ddim_error(family, 10), ddim_error(family, 10, refinements=12)
    assert often < ddim_error(family, 10, refinements=1) < plain
    assert often < 0.2 * plain


@pytest.mark.parametrize("family", FAMILIES)
def test_bdia_returns_exactly(family):
    clean, evaluate = setting(family)
    path = invert_bdia(evaluate, clean, rising(20), smallest=SMALLEST)
    assert float((replay_bdia(evaluate, path, rising(20)) - clean).abs().max()) < 1e-5
    falling = schedule(TABLE, 20)
    pair = [path.at(falling[0]), path.at(falling[1])]
    assert float((run_sampler(evaluate, pair, falling, solver="bdia") - clean).abs().max()) < 1e-3


def test_evaluations_are_counted_as_documented():
    clean, evaluate = setting("sd15")
    calls = []

    def counting(x, sigma, own):
        calls.append((sigma, own))
        return evaluate(x, sigma)

    noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(0))
    invert_ddim(counting, clean, rising(8), smallest=SMALLEST, refinements=2, forward_first=3, noise=noise)
    assert len(calls) == (8 - 3) * 3
    assert sum(own for _, own in calls) == 5
    calls.clear()
    invert_bdia(counting, clean, rising(8), smallest=SMALLEST)
    assert len(calls) == 8
    calls.clear()
    levels = styleid_levels(TABLE, 8)
    invert_ddim(counting, clean, levels.inverted[::-1], smallest=SMALLEST, clean_at=levels.clean_at)
    assert [sigma for sigma, _ in calls] == rising(8)


@pytest.mark.parametrize("kind", ENCODINGS)
def test_an_encoding_knows_what_its_inversion_evaluates(kind):
    clean, evaluate = setting("sd15")
    noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(0))
    encoding, calls = Encoding(kind, refinements=1, forward_first=2), []

    def counting(x, sigma, own):
        calls.append((sigma, own))
        return evaluate(x, sigma)

    path = invert(encoding, counting, clean, rising(5), noise=noise, smallest=SMALLEST)
    assert len(calls) == encoding.evaluations(5)
    assert [sigma for sigma, own in calls if own] == encoding.own_levels(rising(5))
    assert path.at(rising(5)[-1]).shape == clean.shape
    with pytest.raises(ValueError, match="'magic' is unknown; use one of ddim, stochastic, bdia, midpoint, fireflow"):
        invert(Encoding("magic"), evaluate, clean, rising(5), noise=noise, smallest=SMALLEST)


def test_first_steps_forward_noised():
    clean, evaluate = setting("sd15")
    noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(0))
    levels = rising(10)
    path = invert_ddim(evaluate, clean, levels, smallest=SMALLEST, forward_first=3, noise=noise)
    assert torch.allclose(path.at(levels[2]), clean + levels[2] * noise)
    assert not torch.allclose(path.at(levels[3]), clean + levels[3] * noise, atol=1e-3)


def test_trajectory_at_any_sigma():
    clean, evaluate = setting("sd15")
    noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(0))
    assert torch.equal(encode_stochastic(clean, noise).at(2.5), clean + 2.5 * noise)
    path = invert_ddim(evaluate, clean, rising(10), smallest=SMALLEST)
    low, high = rising(10)[3:5]
    assert torch.equal(path.at(low), path.points[low])
    near, middle = path.at(low * 1.0001), path.at((low * high) ** 0.5)
    assert torch.allclose(near, path.at(low), atol=1e-2)
    assert torch.allclose(
        (middle - clean) / (low * high) ** 0.5 * 2,
        (path.at(low) - clean) / low + (path.at(high) - clean) / high,
        atol=1e-4,
    )
    assert torch.equal(path.at(0.0), clean)


def test_schedules():
    levels = schedule(TABLE, 50)
    assert [nearest_timestep(TABLE.log(), s) for s in levels] == list(range(981, 0, -20))
    assert nearest_timestep(TABLE.log(), schedule(TABLE, 8, "trailing")[0]) == 999
    karras = schedule(TABLE, 10, "karras")
    assert karras[0] == pytest.approx(float(TABLE[-1])) and karras[-1] == pytest.approx(float(TABLE[0]))
    for spacing in ("leading", "trailing", "karras"):
        for steps in (1, 3, 30, 77):
            falling = schedule(TABLE, steps, spacing)
            assert len(falling) == steps and all(a > b for a, b in zip(falling, falling[1:]))
    assert [travelled(TABLE, s, levels[0], levels[-1]) for s in levels] == pytest.approx([i / 49 for i in range(50)])
    assert partial(levels, 0.5) == levels[25:] and partial(levels, 0.001) == levels[-1:]
    assert percent_to_sigma(TABLE, 1.0) == 0.0 and percent_to_sigma(TABLE, 0.0) == float("inf")
    with pytest.raises(ValueError, match="leading, trailing, karras"):
        schedule(TABLE, 10, "random")
    with pytest.raises(ValueError, match="between 1 and 999"):
        schedule(TABLE, 0)


def test_zero_terminal_snr_has_a_finite_table():
    table = sigmas_from_config({"rescale_betas_zero_snr": True})
    assert torch.isfinite(table).all() and float(table[-1]) > 1000


def test_noise_depends_on_seed_stream_and_index_only():
    one, many = torch.zeros(1, 4, 3, 5), torch.zeros(6, 4, 3, 5)
    a = randomness.noise_like(one, 3, randomness.STYLE)
    assert torch.equal(randomness.noise_like(many, 3, randomness.STYLE)[4:5], a)
    for other in ((4, randomness.STYLE, 0), (3, randomness.START, 0), (3, randomness.STYLE, 1)):
        assert not torch.equal(randomness.noise_like(one, *other), a)
