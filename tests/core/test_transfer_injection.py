"""The attention function alone, on random tensors, against explicit matrices."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from swf_core.transfer.features import FeatureBank, mask_to_grid, to_grid
from swf_core.transfer.injection import Injection, SelfAttention, StyleRows, inject


def draw(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


Q, K, V = (draw(2, 3, 12, 8, seed=i) for i in range(3))
QC = draw(2, 3, 12, 8, seed=3)
KS, VS = (draw(1, 3, 20, 8, seed=i) for i in (4, 5))
SCALE = 8**-0.5


def attend(q, k, v, bias=0.0):
    return torch.softmax(q @ k.transpose(-1, -2) * SCALE + bias, -1) @ v


def run(styles=None, q_content=QC, gamma=None, place=None, **options):
    styles = [StyleRows(KS, VS)] if styles is None else styles
    chosen = Injection(**options)
    gamma = chosen.gamma if gamma is None else gamma
    return inject(SelfAttention(Q, K, V, SCALE), q_content, styles, chosen, gamma=gamma, place=place)


def test_it_is_the_formula():
    expected = attend(2.5 * (0.3 * QC + 0.7 * Q), KS, VS)
    assert torch.allclose(run(gamma=0.3, tau=2.5), expected, atol=1e-6)
    assert not torch.allclose(run(gamma=0.4, tau=2.5), expected, atol=1e-3)


@pytest.mark.parametrize("kv", ["replace", "concat"])
def test_own_keys_and_values_with_gamma_0_and_tau_1_are_the_identity(kv):
    # own rows once more in a shared softmax are the same rows
    out = run([StyleRows(K, V)], None, gamma=0.0, tau=1.0, kv=kv)
    assert torch.allclose(out, attend(Q, K, V), atol=1e-6)


def test_strength_is_a_straight_line_from_own_to_injected():
    own, full = attend(Q, K, V), run(strength=1.0)
    for s in (0.0, 1e-6, 0.25, 0.999):
        assert torch.allclose(run(strength=s), (1 - s) * own + s * full, atol=1e-6)


def test_concat_lies_between_plain_and_replace():
    plain, full = attend(Q, K, V), run(kv="replace")
    for bias in (-math.inf, -60.0):
        assert torch.allclose(run(kv="concat", bias=bias), plain, atol=1e-6)
    for bias in (math.inf, 60.0):
        assert torch.allclose(run(kv="concat", bias=bias), full, atol=1e-6)
    own, mixed = Q @ K.transpose(-1, -2) * SCALE, 1.5 * (0.75 * QC + 0.25 * Q) @ KS.transpose(-1, -2) * SCALE
    weights = torch.softmax(torch.cat([own, mixed + 0.7], -1), -1)
    expected = weights @ torch.cat([V, VS.expand(2, -1, -1, -1)], -2)
    assert torch.allclose(run(kv="concat", bias=0.7), expected, atol=1e-6)


def test_styles_share_by_weight_whatever_their_number_of_tokens():
    one, twice = StyleRows(KS, VS), StyleRows(torch.cat([KS, KS], -2), torch.cat([VS, VS], -2))
    other = StyleRows(draw(1, 3, 20, 8, seed=8), draw(1, 3, 20, 8, seed=9))
    alone = run([one])
    assert torch.allclose(run([twice]), alone, atol=1e-6)
    assert torch.allclose(run([one, StyleRows(KS, VS, 3.0)]), alone, atol=1e-6)
    assert torch.allclose(run([one, StyleRows(other.k, other.v, 0.0)]), alone, atol=1e-6)
    assert torch.allclose(run([twice, other]), run([one, other]), atol=1e-6)
    assert not torch.allclose(run([one, other]), run([one, StyleRows(other.k, other.v, 2.0)]), atol=1e-3)


def test_hidden_tokens_are_as_if_they_were_not_there():
    readable = torch.ones(20)
    readable[12:] = 0.0
    fewer = run([StyleRows(KS[..., :12, :], VS[..., :12, :])])
    assert torch.allclose(run([StyleRows(KS, VS, 1.0, readable)]), fewer, atol=1e-6)
    assert torch.allclose(run([StyleRows(KS, VS, 1.0, torch.full((20,), 0.5))]), run(), atol=1e-6)


def test_place_decides_token_by_token():
    place = torch.zeros(1, 12)
    place[:, :5] = 1.0
    out = run(place=place)
    assert torch.allclose(out[..., :5, :], run()[..., :5, :], atol=1e-6)
    assert torch.allclose(out[..., 5:, :], attend(Q, K, V)[..., 5:, :], atol=1e-6)


@pytest.mark.parametrize("kv", ["replace", "concat", "adaattn"])
def test_each_style_has_its_own_place(kv):
    other = StyleRows(draw(1, 3, 7, 8, seed=8), draw(1, 3, 7, 8, seed=9))
    left, right = torch.zeros(1, 12), torch.zeros(1, 12)
    left[:, :5], right[:, 7:] = 1.0, 1.0
    both = run([replace(other, place=left), StyleRows(KS, VS, place=right)], kv=kv)
    assert torch.allclose(both[..., :5, :], run([other], kv=kv)[..., :5, :], atol=1e-5)
    assert torch.allclose(both[..., 7:, :], run(kv=kv)[..., 7:, :], atol=1e-5)
    assert torch.allclose(both[..., 5:7, :], attend(Q, K, V)[..., 5:7, :], atol=1e-5)
    within = run([replace(other, place=left)], place=right + left / 2, kv=kv)
    half = (run([other], kv=kv) + attend(Q, K, V)) / 2
    assert torch.allclose(within[..., :5, :], half[..., :5, :], atol=1e-5)
    assert torch.allclose(within[..., 5:, :], attend(Q, K, V)[..., 5:, :], atol=1e-5)


def test_adaattn_is_its_formula():
    q = 1.5 * (0.75 * QC + 0.25 * Q)
    mean = attend(q, KS, VS)
    spread = (attend(q, KS, VS * VS) - mean * mean).clamp_min(0).sqrt()
    own = (V - V.mean(-2, keepdim=True)) / (V.std(-2, keepdim=True) + 1e-5)
    assert torch.allclose(run(kv="adaattn"), spread * own + mean, atol=1e-5)


def test_value_shift_moves_the_mean_of_the_values():
    moved = VS + (V.mean(-2, keepdim=True) - VS.mean(-2, keepdim=True))
    q = 1.5 * (0.75 * QC + 0.25 * Q)
    assert torch.allclose(run(value_shift=1.0), attend(q, KS, moved), atol=1e-6)


def test_gamma_schedules():
    cosine = Injection(gamma=0.75, gamma_end=0.375, gamma_schedule="cosine")
    steps = [cosine.gamma_at(i / 49) for i in range(50)]
    assert steps == pytest.approx([0.375 + 0.375 * 0.5 * (1 + math.cos(math.pi * i / 49)) for i in range(50)])
    assert Injection(gamma=0.8, gamma_end=0.2, gamma_schedule="linear").gamma_at(0.25) == pytest.approx(0.65)
    assert Injection(gamma=0.8, gamma_end=0.2).gamma_at(1.0) == 0.8


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"gamma": 1.5}, "gamma is 1.5; it must be between 0 and 1"),
        ({"gamma_end": -0.1}, "gamma_end is -0.1"),
        ({"strength": 2.0}, "strength is 2.0"),
        ({"tau": 0.0}, "tau is 0.0; it must be above 0"),
        ({"gamma_schedule": "zigzag"}, "constant, linear, cosine"),
        ({"kv": "swap"}, "replace, concat, adaattn"),
        ({"sigma_low": 3.0, "sigma_high": 1.0}, "sigma window is 3.0 to 1.0"),
        ({"gamma": math.nan}, "gamma is nan"),
    ],
)
def test_options_out_of_range_are_refused_in_a_sentence(options, words):
    with pytest.raises(ValueError, match=words):
        Injection(**options)


def test_the_bank_keeps_copies():
    bank = FeatureBank(["up.0"], "kv")
    q = torch.ones(1, 2, 4, 3)
    layer = type("Layer", (), {"name": "up.0"})()
    assert bank.recorder(1.0).function(layer, q, q, q, (2, 2), 1.0) is None
    q.mul_(5.0)
    assert bank.has(1.0) and not bank.has(2.0)
    assert bank.get(1.0, "up.0", "k").max() == 1.0
    assert bank.size_bytes() == 2 * 24 * 4
    bank.forget(1.0)
    assert not bank.has(1.0)


def test_grids_and_masks():
    tokens = draw(1, 2, 12, 4)
    assert to_grid(tokens, (3, 4), (3, 4)) is tokens
    assert to_grid(torch.full((1, 2, 12, 4), 3.0), (3, 4), (5, 7)).allclose(torch.tensor(3.0))
    mask = torch.zeros(40, 64)
    mask[:, :32] = 1.0
    assert mask_to_grid(mask, (5, 8)).view(5, 8)[:, :4].min() == 1.0
    assert mask_to_grid(mask, (5, 8)).view(5, 8)[:, 4:].max() == 0.0


def test_query_adain_gives_queries_the_statistics_of_the_styles_own():
    qs, other = draw(1, 3, 20, 8, seed=6) * 2 + 1, draw(1, 3, 20, 8, seed=7)

    def moved(q):
        own = (q - q.mean(-2, keepdim=True)) / q.std(-2, keepdim=True, correction=0)
        return own * qs.std(-2, keepdim=True, correction=0) + qs.mean(-2, keepdim=True)

    style = StyleRows(KS, VS, q=qs)
    mixed = 0.75 * QC + 0.25 * Q
    assert torch.allclose(run([style], query_adain=1.0), attend(1.5 * moved(mixed), KS, VS), atol=1e-5)
    half = mixed + 0.5 * (moved(mixed) - mixed)
    assert torch.allclose(run([style], query_adain=0.5), attend(1.5 * half, KS, VS), atol=1e-5)
    # a style without weight has no say, and hidden tokens none
    assert torch.equal(run([style, StyleRows(KS, VS, 0.0, q=other)], query_adain=1.0), run([style], query_adain=1.0))
    readable = (torch.arange(20) < 12).float()
    fewer = run([StyleRows(KS[..., :12, :], VS[..., :12, :], q=qs[..., :12, :])], query_adain=1.0)
    assert torch.allclose(run([StyleRows(KS, VS, readable=readable, q=qs)], query_adain=1.0), fewer, atol=1e-5)


def test_query_adain_between_equals_is_the_identity():
    out = run([StyleRows(K, V, q=Q)], None, gamma=0.0, tau=1.0, query_adain=1.0)
    assert torch.allclose(out, attend(Q, K, V), atol=1e-5)
