"""Injection beside text in one softmax, on random tensors, against explicit matrices."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from swf_core.models.contracts import JointTokens
from swf_core.models.rope import RopeView
from swf_core.transfer.injection import Injection, SelfAttention, StyleRows, inject
from swf_core.transfer.rope import POSITIONS, key_positions

ROPE, GRID, STYLE_GRID, SCALE = RopeView((4, 6, 6)), (3, 4), (4, 5), 16**-0.5


def draw(seed, rows, tokens):
    return torch.randn(rows, 2, tokens, 16, generator=torch.Generator().manual_seed(seed))


Q, K, V = (draw(seed, 2, 12) for seed in range(3))
TEXT_K, TEXT_V = draw(3, 2, 5), draw(4, 2, 5)
STYLE_K, STYLE_V = draw(5, 1, 20), draw(6, 1, 20)


def turned(x, grid=GRID, left=0.0):
    return ROPE.rotate(x, ROPE.grid_ids(*grid, left=left))


def own(rope):
    return SelfAttention(Q, K, V, SCALE, JointTokens(TEXT_K, TEXT_V, rope, GRID))


def logits(q, k):
    return q @ k.transpose(-1, -2) * SCALE


def read(*parts):
    """One softmax over (logits, values) of several parts."""
    weights = torch.softmax(torch.cat([part for part, _ in parts], -1), -1)
    return weights @ torch.cat([values.expand(2, -1, -1, -1) for _, values in parts], -2)


def run(rope, styles=None, how="same", **options):
    where = None if rope is None else key_positions(how, rope, STYLE_GRID, GRID, 0.5)
    styles = [StyleRows(STYLE_K, STYLE_V, positions=where)] if styles is None else styles
    chosen = Injection(**{"gamma": 0.0, "tau": 1.5, **options})
    return inject(own(rope), None, styles, chosen, gamma=0.0)


def test_without_positions_style_stands_where_the_picture_stood_beside_the_text():
    as_own = torch.log(torch.tensor(12 / 20))  # twenty tokens weigh as the picture's twelve
    expected = read((logits(Q, TEXT_K), TEXT_V), (1.5 * logits(Q, STYLE_K) + as_own, STYLE_V))
    assert torch.allclose(run(None), expected, atol=1e-5)


def test_concat_reads_text_own_and_style_alike():
    parts = (logits(Q, TEXT_K), TEXT_V), (logits(Q, K), V), (1.5 * logits(Q, STYLE_K) - 0.7, STYLE_V)
    assert torch.allclose(run(None, kv="concat", bias=-0.7), read(*parts), atol=1e-5)
    shared = parts[0], (1.5 * logits(Q, K), V), (1.5 * logits(Q, STYLE_K) - 0.7, STYLE_V)
    assert torch.allclose(run(None, kv="shared", bias=-0.7), read(*shared), atol=1e-5)
    louder = parts[0], (logits(Q, K) - 0.7, V), (1.5 * logits(Q, STYLE_K), STYLE_V)
    assert torch.allclose(run(None, kv="concat", bias=0.7), read(*louder), atol=1e-5)


@pytest.mark.parametrize("how", POSITIONS)
def test_keys_stand_where_the_cure_puts_them(how):
    gains = key_positions("untwist", ROPE, STYLE_GRID, GRID, 0.5).gains
    asked = {
        "same": logits(turned(Q), turned(STYLE_K, STYLE_GRID)),
        "shift": logits(turned(Q), turned(STYLE_K, STYLE_GRID, left=4.0)),
        "untwist": logits(turned(Q), turned(STYLE_K * gains, STYLE_GRID)),
        "free": logits(Q, STYLE_K),
    }
    parts = (logits(turned(Q), TEXT_K), TEXT_V), (logits(turned(Q), turned(K)), V), (1.5 * asked[how], STYLE_V)
    found = run(ROPE, how=how, kv="concat")
    assert torch.allclose(found, read(*parts), atol=1e-5)
    others = [run(ROPE, how=other, kv="concat") for other in POSITIONS if other != how]
    assert all(not torch.allclose(found, other, atol=1e-3) for other in others)


@pytest.mark.parametrize("rope", [None, ROPE])
def test_text_loses_nothing_to_a_style_of_more_tokens_or_to_more_styles(rope):
    where = None if rope is None else key_positions("free", rope, STYLE_GRID, GRID, 0.5)
    style = StyleRows(STYLE_K, STYLE_V, positions=where)
    twice = replace(style, k=torch.cat([STYLE_K] * 2, -2), v=torch.cat([STYLE_V] * 2, -2))
    once = run(rope, [style])
    assert torch.allclose(run(rope, [twice]), once, atol=1e-5)
    assert torch.allclose(run(rope, [style, replace(style, weight=0.3)]), once, atol=1e-5)
    hidden = replace(twice, readable=torch.tensor([1.0] * 20 + [0.0] * 20))
    assert torch.allclose(run(rope, [hidden]), once, atol=1e-5)


@pytest.mark.parametrize("rope", [None, ROPE])
def test_own_keys_and_values_are_the_identity(rope):
    where = None if rope is None else key_positions("same", rope, GRID, GRID, 0.5)
    rows = StyleRows(K, V, positions=where)
    plain = own(rope).output()
    assert torch.allclose(run(rope, [rows], tau=1.0), plain, atol=1e-5)
    assert torch.equal(run(rope, [rows], strength=0.0), plain)
    nowhere = StyleRows(STYLE_K, STYLE_V, place=torch.zeros(1, 12))
    assert torch.allclose(run(None, [nowhere]), own(None).output(), atol=1e-5)


def test_keys_take_the_styles_statistics_before_they_are_placed():
    moved = K.std(-2, keepdim=True, correction=0).reciprocal() * (K - K.mean(-2, keepdim=True))
    moved = moved * STYLE_K.std(-2, keepdim=True, correction=0) + STYLE_K.mean(-2, keepdim=True)
    asked = 1.5 * logits(turned(Q), turned(STYLE_K, STYLE_GRID))
    parts = (logits(turned(Q), TEXT_K), TEXT_V), (logits(turned(Q), turned(moved)), V), (asked, STYLE_V)
    assert torch.allclose(run(ROPE, kv="concat", key_adain=1.0), read(*parts), atol=1e-4)


def test_where_gradients_go_the_one_kernel_gives_the_same():
    asked = own(ROPE)
    asked.q.requires_grad_(True)
    try:
        where = key_positions("untwist", ROPE, STYLE_GRID, GRID, 0.5)
        rows = [StyleRows(STYLE_K, STYLE_V, positions=where), StyleRows(STYLE_K[:, :, :7], STYLE_V[:, :, :7], 0.5)]
        options = Injection(gamma=0.0, kv="concat", bias=0.4)
        with_gradient = inject(asked, None, rows, options, gamma=0.0)
        with torch.no_grad():
            without = inject(asked, None, rows, options, gamma=0.0)
    finally:
        asked.q.requires_grad_(False)
    assert with_gradient.requires_grad and torch.allclose(with_gradient, without, atol=1e-5)
