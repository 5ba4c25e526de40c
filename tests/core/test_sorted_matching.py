"""Scatter-sort: own values with the histograms of a style's, exactly, by weight, mask and place."""

from __future__ import annotations

import pytest
import torch

from swf_core.models.contracts import JointTokens
from swf_core.models.rope import RopeView
from swf_core.transfer import Injection, stylize
from swf_core.transfer.injection import SelfAttention, StyleRows, inject
from swf_core.transfer.rope import POSITIONS
from swf_core.transfer.sorted_matching import StyleValues, match_sorted, match_values

from support.tiny_models import picture, tiny_backend
from support.tiny_transfer import FAST, STYLE, apart, run
from support.tiny_transformers import TRANSFORMERS, tiny_transformer_backend


def draw(seed, tokens, rows=2):
    return torch.randn(rows, 3, tokens, 8, generator=torch.Generator().manual_seed(seed))


OWN, LIKE = draw(0, 12), draw(1, 12, 1) * 2 + 5


def in_order(x):
    return x.sort(-2).values


def test_the_marginals_are_the_styles_and_the_order_is_own():
    found = match_sorted(OWN, LIKE)
    assert torch.equal(in_order(found), in_order(LIKE).expand(2, -1, -1, -1))
    assert torch.equal(found.argsort(-2), OWN.argsort(-2))
    assert torch.equal(match_sorted(OWN, OWN), OWN)


def test_other_numbers_of_tokens_are_read_in_between():
    own = torch.tensor([3.0, 1.0, 2.0]).view(1, 1, 3, 1)
    ends = torch.tensor([10.0, 20.0]).view(1, 1, 2, 1)
    assert torch.allclose(match_sorted(own, ends).flatten(), torch.tensor([20.0, 10.0, 15.0]))
    one = torch.full((1, 1, 1, 1), 7.0)
    assert torch.equal(match_sorted(own, one).flatten(), torch.full((3,), 7.0))
    many = torch.linspace(0.0, 1.0, 1001).view(1, 1, -1, 1)
    assert torch.allclose(match_sorted(own, many).flatten(), torch.tensor([5.0, 1.0, 3.0]) / 6, atol=1e-3)


def test_hidden_tokens_are_as_if_they_were_not_there_and_halves_count_by_half():
    readable = torch.ones(12)
    readable[7:] = 0.0
    assert torch.equal(match_sorted(OWN, LIKE, readable), match_sorted(OWN, LIKE[:, :, :7]))
    assert torch.equal(match_sorted(OWN, LIKE, torch.full((12,), 0.5)), match_sorted(OWN, LIKE))
    values = torch.cat([torch.zeros(3), torch.ones(3)]).view(1, 1, 6, 1)
    odds = torch.tensor([0.1, 0.1, 0.1, 0.9, 0.9, 0.9])  # a tenth of all is 0, nine tenths are 1
    ramp = torch.arange(100.0).view(1, 1, 100, 1)
    assert float(match_sorted(ramp, values, odds).mean()) == pytest.approx(0.9, abs=0.08)
    assert float(match_sorted(ramp, values).mean()) == pytest.approx(0.5, abs=0.02)


def test_each_style_is_matched_within_its_place():
    left, right = torch.zeros(1, 12), torch.zeros(1, 12)
    left[:, :5], right[:, 7:] = 1.0, 1.0
    other = draw(2, 9, 1) - 4
    found = match_values(OWN, [StyleValues(LIKE, 1.0, None, left), StyleValues(other, 2.0, None, right)])
    assert torch.allclose(found[:, :, :5], match_sorted(OWN[:, :, :5], LIKE), atol=1e-5)
    assert torch.allclose(found[:, :, 7:], match_sorted(OWN[:, :, 7:], other), atol=1e-5)
    assert torch.equal(found[:, :, 5:7], OWN[:, :, 5:7])
    own_rows = torch.cat([left, right])  # a place for each row
    rows = match_values(OWN, [StyleValues(LIKE, 1.0, None, own_rows)])
    assert torch.allclose(rows[1, :, 7:], match_sorted(OWN[1:, :, 7:], LIKE)[0], atol=1e-5)
    assert torch.equal(rows[1, :, :5], OWN[1, :, :5])


def test_styles_share_by_weight():
    other = draw(2, 9, 1) - 4
    both = match_values(OWN, [StyleValues(LIKE, 3.0), StyleValues(other, 1.0)])
    assert torch.allclose(both, 0.75 * match_sorted(OWN, LIKE) + 0.25 * match_sorted(OWN, other), atol=1e-5)
    assert torch.allclose(match_values(OWN, [StyleValues(LIKE, 3.0), StyleValues(LIKE)]), match_sorted(OWN, LIKE))


ROPE, SCALE = RopeView((2, 2, 4)), 8**-0.5
Q, K = draw(3, 12), draw(4, 12)
TEXT_K, TEXT_V = draw(5, 5), draw(6, 5)


def attention(q, k, v):
    return torch.softmax(q @ k.transpose(-1, -2) * SCALE, -1) @ v


def sorted_run(joint=None, gamma=0.0, q_content=None, **options):
    rows = [StyleRows(draw(8, 20, 1), draw(9, 20, 1))]
    chosen = Injection(kv="scatter_sort", gamma=gamma, **options)
    return inject(SelfAttention(Q, K, OWN, SCALE, joint), q_content, rows, chosen, gamma=gamma)


def test_own_keys_are_asked_by_the_injected_query_for_matched_values():
    matched, mixed = match_sorted(OWN, draw(9, 20, 1)), 1.5 * (0.3 * draw(7, 12) + 0.7 * Q)
    assert torch.allclose(sorted_run(gamma=0.3, q_content=draw(7, 12)), attention(mixed, K, matched), atol=1e-5)
    half = 0.5 * attention(mixed, K, matched) + 0.5 * attention(Q, K, OWN)
    assert torch.allclose(sorted_run(gamma=0.3, q_content=draw(7, 12), strength=0.5), half, atol=1e-5)


@pytest.mark.parametrize("rope", [None, ROPE])
def test_text_beside_is_read_as_ever(rope):
    joint = JointTokens(TEXT_K, TEXT_V, rope, (3, 4))
    q, k = joint.place(Q), joint.place(K)
    matched = match_sorted(OWN, draw(9, 20, 1))
    logits = torch.cat([q @ TEXT_K.transpose(-1, -2), 1.5 * q @ k.transpose(-1, -2)], -1) * SCALE
    expected = torch.softmax(logits, -1) @ torch.cat([TEXT_V, matched], -2)
    assert torch.allclose(sorted_run(joint), expected, atol=1e-5)


def test_own_values_as_the_style_change_nothing():
    own = SelfAttention(Q, K, OWN, SCALE)
    found = inject(own, None, [StyleRows(K, OWN)], Injection(kv="scatter_sort", gamma=0.0, tau=1.0), gamma=0.0)
    assert torch.allclose(found, own.output(), atol=1e-6)


SORTED = FAST.changed(kv="scatter_sort")


@pytest.mark.parametrize("family", ["sd15", *TRANSFORMERS])
def test_whole_runs_take_other_sizes_and_the_style_matters(family):
    backend = tiny_backend(family) if family == "sd15" else tiny_transformer_backend(family)
    options = SORTED.changed(size_px=0, style_size_px=0)
    first, again, other = (
        stylize(backend, [picture(7, 96, 64)], [style], options).latents[0]
        for style in (picture(8, 48, 80), picture(8, 48, 80), picture(9))
    )
    assert torch.isfinite(first).all() and torch.equal(first, again)
    assert float((first - other).abs().max()) > 1e-3


def test_keys_of_a_style_are_not_asked_so_their_places_mean_nothing():
    backend = tiny_transformer_backend("flux")
    found = [stylize(backend, [picture(1)], [STYLE], SORTED.changed(positions=how)).latents[0] for how in POSITIONS]
    assert all(torch.equal(latents, found[0]) for latents in found)


def test_it_is_another_result_than_replacing_and_half_precision_runs():
    assert apart(run("sd15", SORTED), run("sd15")) > 1e-3
    assert apart(run("sd15", SORTED.changed(precision="fp16")), run("sd15", SORTED)) < 0.2
    assert torch.equal(
        run("sd15", SORTED.changed(strength=0.0)).latents[0], run("sd15", FAST.changed(strength=0.0)).latents[0]
    )
    with pytest.raises(ValueError, match="key_adain moves own keys"):
        SORTED.changed(key_adain=0.5)
    assert apart(run("sd15", SORTED, styles=[STYLE]), run("sd15", SORTED, styles=[picture(3)])) > 1e-3
