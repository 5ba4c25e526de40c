"""The start latent: channel statistics and damped low frequencies."""

from __future__ import annotations

import pytest
import torch

from swf_core.transfer.start_latent import adain, channel_statistics, damp_low_frequencies, start_tones, toned
from swf_core.transfer.statistics import match_statistics, mean_statistics
from swf_core.transfer.styles import Style

X = torch.randn((2, 4, 9, 7), generator=torch.Generator().manual_seed(0)) * 3 + 1
S = torch.randn((1, 4, 5, 8), generator=torch.Generator().manual_seed(1)) * 0.5 - 2


def test_adain_moves_the_statistics_by_amount():
    (mean, std), (own_mean, own_std), (style_mean, style_std) = map(
        channel_statistics, (adain(X, [S], [1.0], 0.6), X, S)
    )
    assert torch.allclose(mean, 0.4 * own_mean + 0.6 * style_mean, atol=1e-5)
    assert torch.allclose(std, 0.4 * own_std + 0.6 * style_std, atol=1e-5)
    assert adain(X, [S], [1.0], 0.0) is X
    assert torch.allclose(adain(X, [S, X[:1]], [1.0, 0.0]), adain(X, [S], [1.0]), atol=1e-6)
    with pytest.raises(ValueError, match="between 0"):
        adain(X, [S], [1.0], 1.5)


def test_tones_go_to_each_styles_place():
    left, other = torch.zeros(1, 9, 7), S + 3
    left[..., :3] = 1.0
    out = toned(X, [S, other], [1.0, 1.0], 0.6, [left, 1 - left])
    assert torch.allclose(out[..., :3], adain(X, [S], [1.0], 0.6)[..., :3], atol=1e-5)
    assert torch.allclose(out[..., 3:], adain(X, [other], [1.0], 0.6)[..., 3:], atol=1e-5)
    alone = toned(X, [S], [1.0], 1.0, [left], place=left * 0.5)
    assert torch.allclose(alone[..., 3:], X[..., 3:]) and torch.allclose(
        alone[..., :3], adain(X, [S], [1.0], 0.5)[..., :3], atol=1e-5
    )
    assert torch.equal(toned(X, [S], [1.0], 0.6, [None]), adain(X, [S], [1.0], 0.6))


def test_start_tones_ask_each_styles_process_for_its_latent_of_the_level():
    class Process:
        def __init__(self, latent):
            self.latent = latent

        def statistics_at(self, sigma):
            return sigma * self.latent

    styles = [Style(Process(S), 2.0, None), Style(Process(S + 3), 1.0, None)]
    expected = adain(X, [0.5 * S, 0.5 * (S + 3)], [2.0, 1.0], 0.6)
    assert torch.equal(start_tones(X, styles, 0.5, 0.6), expected)
    assert start_tones(X, styles, 0.5, 0.0) is X


def test_low_frequencies():
    noise = torch.randn((2, 4, 9, 7), generator=torch.Generator().manual_seed(2))
    assert damp_low_frequencies(X, 1.0, noise) is X
    still = damp_low_frequencies(X, 0.0, torch.zeros_like(X))
    assert float(still.mean((-2, -1)).abs().max()) < 1e-5  # the mean is the lowest frequency
    half = damp_low_frequencies(X, 0.5, torch.zeros_like(X))
    assert torch.allclose(half, 0.5 * (still + X), atol=1e-5)
    with pytest.raises(ValueError, match="between 0 and 1"):
        damp_low_frequencies(X, -1.0, noise)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_a_flat_channel_takes_the_styles_mean_and_nothing_infinite(dtype):
    """One formula with one smallest deviation for latents and queries; 1e-8 would be 0 in half precision."""
    flat = torch.full((1, 2, 4, 4), 0.25, dtype=dtype)
    style = torch.randn(1, 2, 4, 4, generator=torch.Generator().manual_seed(0)).to(dtype)
    moved = match_statistics(flat, channel_statistics(flat), channel_statistics(style))
    assert torch.isfinite(moved).all()
    assert torch.allclose(moved, style.mean((-2, -1), keepdim=True).expand_as(moved))


def test_statistics_are_averaged_by_weight():
    parts = [(torch.tensor(1.0), torch.tensor(2.0)), (torch.tensor(3.0), torch.tensor(6.0))]
    mean, deviation = mean_statistics(parts, [3.0, 1.0])
    assert (float(mean), float(deviation)) == (1.5, 3.0)
