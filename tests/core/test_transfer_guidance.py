"""Guidance by words: held to detail, and how much there is where nobody says."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from swf_core.errors import UserError
from swf_core.transfer import Content, SampleOptions, TransferOptions, preset, sample, stylize
from swf_core.transfer.detail_guidance import CUT, detail_of
from swf_core.transfer.levels import plan_levels
from swf_core.transfer.presets import preset_of
from swf_core.transfer.word_guidance import by_read_words, guided_by_words

from support.fourier import mirrored_fourier
from support.tiny_models import picture, tiny_backend
from support.tiny_transfer import CONTENT, FAST, STYLE

BACKEND = tiny_backend("sd15")
GENERATOR = torch.Generator().manual_seed(3)
D, P = (torch.randn((2, 4, 9, 7), generator=GENERATOR, dtype=torch.float64) for _ in range(2))


@pytest.mark.parametrize("amount", [0.0, 0.3, 1.0])
def test_the_difference_loses_what_is_parallel_and_then_its_low_frequencies(amount):
    """Adaptive projected guidance with eta = 1 - a, then frequency-decoupled guidance, row by row."""
    rows = []
    for d, p in zip(D, P):
        parallel = torch.dot(d.flatten(), p.flatten()) / p.square().sum() * p
        orthogonal = d - parallel + (1.0 - amount) * parallel
        rows.append(orthogonal - amount * mirrored_fourier(orthogonal[None], CUT)[0])
    assert torch.allclose(detail_of(D, P, amount), torch.stack(rows), atol=1e-10)


def test_held_to_detail_a_flat_difference_is_none_and_a_fine_one_stays():
    flat = torch.ones((1, 4, 16, 16), dtype=torch.float64) * torch.tensor([0.2, -0.1, 0.4, 0.3]).view(1, 4, 1, 1)
    other = torch.randn((1, 4, 16, 16), generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    assert detail_of(flat, other - other.mean((2, 3), keepdim=True), 1.0).abs().max() < 1e-9
    wave = torch.cos(math.pi * 15 / 16 * (torch.arange(16, dtype=torch.float64) + 0.5))  # 7.5 cycles
    fine = (wave[:, None] * wave)[None, None]
    assert torch.allclose(detail_of(fine, torch.ones_like(fine), 1.0), fine, atol=1e-5)
    assert torch.isfinite(detail_of(fine, torch.zeros_like(fine), 1.0)).all()


def guided(**changes):
    options = FAST.changed(cfg=3.0, **changes)
    return stylize(BACKEND, [Content(CONTENT, "a b")], [STYLE], options)


def test_without_it_guidance_is_plain_and_with_it_nothing_more_is_evaluated():
    plain, held = guided(), guided(cfg_detail=1.0)
    assert torch.equal(guided(cfg_detail=0.0).latents[0], plain.latents[0])
    assert plain.cost.counted == held.cost.counted == held.cost.planned
    assert float((plain.latents[0] - held.latents[0]).abs().max()) > 1e-3


def test_samples_from_words_can_be_held_to_detail_too():
    one, other = (
        sample(BACKEND, ["a b"], SampleOptions(3, 4.0, 32, cfg_detail=detail)).latents[0] for detail in (0.0, 1.0)
    )
    assert float((one - other).abs().max()) > 1e-3


@pytest.mark.parametrize("value", [-0.1, 1.1, math.nan])
def test_the_option_is_checked(value):
    with pytest.raises(ValueError, match="cfg_detail"):
        FAST.changed(cfg_detail=value)


def test_how_much_guidance_there_is_where_nobody_says():
    faithful, free = (preset_of(name, "mini", {}) for name in ("faithful", "free"))
    half = preset_of("faithful", "mini", {}, freedom=0.5)

    def amounts(options):
        return options.cfg, options.cfg_detail

    for options in (faithful, free, half):  # words of the pictures: one guidance everywhere
        assert amounts(guided_by_words(options, read=True)) == (2.5, 1.0)
        assert amounts(guided_by_words(options, read=True, asymmetric=True)) == (2.0, 0.0)
    assert amounts(guided_by_words(faithful, read=False)) == (4.0, 0.0)
    assert amounts(guided_by_words(faithful, read=False, dialed=True)) == (2.0, 0.0)
    assert guided_by_words(free, read=False) == free  # its own
    assert by_read_words(BACKEND) == guided_by_words(preset("faithful", BACKEND), read=True)  # measured on mini alone
    mini = replace(BACKEND, family="mini")
    assert by_read_words(mini) == replace(
        guided_by_words(preset("faithful", mini, 0.35), read=True), steps=15, adain=0.75
    )
    assert by_read_words(mini, 0.5).renoise == 0.5 and by_read_words(mini, 0.5).steps == 15


def test_guidance_acts_between_two_noise_levels_and_costs_nothing_elsewhere() -> None:
    """Limited interval: E is counted, an interval of everything is plain guidance, one of nothing is none."""
    backend, content, style = tiny_backend("sd15"), picture(2), picture(1)
    own = TransferOptions(steps=4, size_px=0, cfg=3.0, style_guidance=0.5)

    def painted(**window: float):
        return stylize(backend, [Content(content, "a house")], [style], replace(own, **window))

    everywhere, nowhere, half = painted(), painted(guidance_high=0.0), painted(guidance_low=1.0, guidance_high=20.0)
    assert torch.equal(everywhere.images[0], painted(guidance_high=1e6).images[0])
    unguided = stylize(backend, [Content(content, "a house")], [style], replace(own, cfg=1.0, style_guidance=0.0))
    assert torch.allclose(nowhere.images[0], unguided.images[0], atol=1e-5)
    levels = plan_levels(backend.denoiser.sigmas, own).read
    guided = sum(1.0 <= sigma <= 20.0 for sigma in levels)
    assert 0 < guided < 4
    for result, count in ((everywhere, 4), (nowhere, 0), (half, guided)):
        assert result.cost.counted == result.cost.planned == unguided.cost.counted + 3 * count
    with pytest.raises(UserError, match="guidance window"):
        replace(own, guidance_low=2.0, guidance_high=1.0)


def test_guidance_of_plain_sampling_has_the_same_window() -> None:
    backend = tiny_backend("sd15")
    costs = [
        sample(backend, ["a"], SampleOptions(steps=4, cfg=3.0, size_px=32, guidance_high=high)).cost
        for high in (0.0, 1e6)
    ]
    assert [cost.counted for cost in costs] == [cost.planned for cost in costs] == [4, 8]


def test_rows_of_tables_keep_their_keys_where_nothing_new_is_asked_for() -> None:
    assert "guidance_low" not in repr(TransferOptions()) and repr(TransferOptions()).startswith("TransferOptions(inj")
    assert repr(TransferOptions(guidance_low=0.3)).endswith("batch=8, guidance_low=0.3)")
