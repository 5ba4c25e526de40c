"""The validation loss of a training: what it is measured on, what it costs, and which losses are compared."""

from __future__ import annotations

import pytest
import torch

from swf_core.learn.dataset import items_of
from swf_core.learn.latent_cache import Batch, LatentCache
from swf_core.learn.losses import denoising_loss
from swf_core.learn.signals import judgement
from swf_core.learn.validation import DRAWS, LEVELS, ROWS, validation_loss, validation_rows

from support.learn_runs import QUICK
from support.tiny_models import fresh_backend, picture

SIZES = [(64, 64), (40, 80), (64, 64)]


def cache_of(count, options):
    backend = fresh_backend("sd15")
    pictures = [picture(k, *size) for k, size in enumerate(SIZES[:count])]
    return backend.denoiser, LatentCache(items_of(pictures, [f"a cat {k}" for k in range(count)]), backend, options)


class Counted:
    """A network that writes down how many rows each call has."""

    def __init__(self, network):
        self._network, self.calls = network, []

    def __getattr__(self, name):
        return getattr(self._network, name)

    def predict(self, noisy, timesteps, cond):
        self.calls.append(len(noisy))
        return self._network.predict(noisy, timesteps, cond)


def test_within_the_limit_it_is_the_mean_over_every_original_level_and_noise():
    options = QUICK.changed(batch=8)
    network, cache = cache_of(3, options)
    losses = []
    for n in range(3):
        latent = cache.latents[n][:1]
        for k, level in enumerate(LEVELS):
            timesteps = torch.tensor([int(level * (len(network.sigmas) - 1))])
            for draw in range(DRAWS):
                noise = torch.randn(latent.shape, generator=torch.Generator().manual_seed(1000 + 10 * k + draw))
                with torch.no_grad():
                    losses.append(float(denoising_loss(network, Batch(latent, cache.text(n)), timesteps, noise, "v")))
    loss, rows = validation_loss(network, cache, options.changed(loss="v"))
    assert rows == len(losses) == 30
    assert loss == pytest.approx(sum(losses) / 30, rel=5e-3)  # bfloat16 on processors that train in it


@pytest.mark.parametrize(("batch", "accumulate", "count"), [(1, 1, 1), (1, 1, 3), (2, 2, 3), (8, 1, 1)])
def test_it_costs_two_steps_at_most(batch, accumulate, count):
    """A step goes through each of its rows forward and back: two passes or more."""
    options = QUICK.changed(batch=batch, accumulate=accumulate)
    network, cache = cache_of(count, options)
    counted = Counted(network)
    loss, rows = validation_loss(counted, cache, options)
    assert sum(counted.calls) == rows <= 2 * 2 * batch * accumulate == ROWS * batch * accumulate
    assert max(counted.calls) <= batch  # and never more memory than a step
    assert validation_loss(network, cache, options) == (loss, rows)


def test_fewer_rows_are_spread_over_levels_and_originals():
    rows = validation_rows([0, 2, 5], 4)
    assert [n for n, _, _ in rows] == [0, 2, 5, 0]
    assert [level for _, level, _ in rows] == [0.125, 0.375, 0.625, 0.875]
    assert len({seed for _, _, seed in rows}) == 4
    assert len(validation_rows([0], 10)) == 10 == len(validation_rows([0], 99))


def test_losses_over_other_rows_are_not_compared():
    """A run that was begun before has losses over more rows: a lower one of those says nothing."""
    base = {"norm": 0.1, "copying": [0.1], "diversity": 0.8}
    former = base | {"step": 100, "validation": 0.5}
    lower = base | {"step": 200, "validation": 0.6, "validation_rows": 4}
    last = base | {"step": 300, "validation": 0.8, "validation_rows": 4}
    start = base | {"step": 0, "validation": 1.0, "copying": []}
    assert judgement([start, former, lower, last]) == ("risen", {"step": 200})
    assert judgement([start, former, last]) == ("good", {})
