"""What a training measures: losses, the noise and timesteps they are drawn at, and the signals of a run."""

from __future__ import annotations

import pytest
import torch

from swf_core.learn.latent_cache import Batch
from swf_core.learn.losses import denoising_loss, draw_noise, draw_timesteps, snr_weight
from swf_core.learn.signals import advice, copying, diversity

from support.learn_runs import QUICK
from support.tiny_models import fresh_backend, picture


@pytest.mark.parametrize("family", ["sd15", "sd2v", "sdxl"])
def test_losses_agree_between_parametrisations(family):
    """The loss of the same prediction as noise, velocity or picture: known ratios of the errors at one level."""
    backend = fresh_backend(family)
    network = backend.denoiser
    latents = torch.randn((1, 4, 8, 8), generator=torch.Generator().manual_seed(2))
    batch = Batch(latents, backend.text.encode(["a cat"], 64, 64))
    for timestep in (50, 500, 900):
        timesteps = torch.tensor([timestep])
        noise = draw_noise(QUICK, latents, (timestep,))
        losses = {
            k: float(denoising_loss(network, batch, timesteps, noise, k).detach())
            for k in ("epsilon", "x0", "v", "native")
        }
        snr = float(1 / network.sigmas[timestep] ** 2)
        assert losses["x0"] * snr == pytest.approx(losses["epsilon"], rel=1e-2)
        assert losses["v"] == pytest.approx(losses["x0"] * (1 + snr), rel=1e-2)
        assert losses["native"] in (losses["epsilon"], losses["v"])
        weighted = float(denoising_loss(network, batch, timesteps, noise, "x0", 5.0).detach())
        assert weighted == pytest.approx(losses["x0"] * min(snr, 5.0), rel=1e-3)
    abar = torch.tensor([0.9])
    assert float(snr_weight(abar, "epsilon", 5.0)) == pytest.approx(5 / 9)


def test_timesteps_and_noise_follow_bias_and_offset():
    for bias, middle in (("none", 500), ("detail", 250), ("layout", 750)):
        drawn = draw_timesteps(QUICK.changed(timestep_bias=bias), 1000, 4000, (1,))
        assert int(drawn.min()) >= 0 and int(drawn.max()) <= 999 and abs(float(drawn.float().mean()) - middle) < 25
    still = torch.zeros(64, 4, 8, 8)
    offset = draw_noise(QUICK.changed(noise_offset=0.5), still, (1,)).mean((2, 3)).std()
    assert float(offset) > 0.4 > 0.2 > float(draw_noise(QUICK, still, (1,)).mean((2, 3)).std())
    assert torch.equal(draw_noise(QUICK, still, (1,)), draw_noise(QUICK, still, (1,)))


@pytest.mark.parametrize("bias", ["none", "detail", "layout"])
@pytest.mark.parametrize("share, above", [(0.1, 0.5), (0.25, 0.5), (0.5, 0.2), (0.3, 0.0)])
def test_picks_have_high_levels_and_all_rows_together_the_usual_ones(bias, share, above):
    options = QUICK.changed(timestep_bias=bias, picks_above=above)
    picked = torch.rand(40_000, generator=torch.Generator().manual_seed(1)) < share
    drawn = draw_timesteps(options, 1000, 40_000, (1,), picked, share)
    assert int(drawn[picked].min()) >= 1000 * above - 1 and int(drawn.max()) <= 999
    usual = draw_timesteps(options, 1000, 40_000, (2,))
    if bias != "detail" or share < 1 - above ** (1 / 3):  # else there are more picks than high levels are drawn
        assert torch.allclose(*(torch.histc(d.float(), 10, 0, 1000) / 40_000 for d in (drawn, usual)), atol=0.012)
    assert torch.equal(usual, draw_timesteps(options, 1000, 40_000, (2,), torch.zeros(40_000, dtype=torch.bool), 0.0))


def test_signals_see_copies_and_collapse():
    a, b = picture(1, 64, 64), picture(2, 64, 64)
    assert copying(a, [a]) == pytest.approx(1, abs=1e-4) == copying(a.flip(-1), [a]) and copying(b, [a]) < 0.5
    assert copying(a, [a], baseline=a) == 0.0 and copying(a, [a], baseline=b) > 0.9
    assert abs(diversity([a, a])) < 1e-5 and diversity([a, b]) > 0.1
    base = {"step": 0, "validation": 1.0, "norm": 0.0, "copying": [], "diversity": 0.8}
    evaluation = base | {"step": 100, "copying": [0.1, 0.9]}
    assert advice([]) == "" and "copied in 1 of 2 samples" in advice([base, evaluation])
    alike = evaluation | {"copying": [0.1], "diversity": 0.1}
    assert "grow alike" in advice([base, evaluation | {"copying": [0.0]}, alike | {"step": 200}])
