"""The injection's dials beside StyleID's, each against its formula and at its limits."""

from __future__ import annotations

import math

import pytest
import torch

from swf_core.transfer import Injection, TransferOptions, preset, stylize
from swf_core.transfer.calibration import Calibration
from swf_core.transfer.injection import SelfAttention, StyleRows, inject

from support.tiny_models import picture, tiny_backend


def draw(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


Q, K, V = (draw(2, 3, 12, 8, seed=i) for i in range(3))
KS, VS, QS = (draw(1, 3, 20, 8, seed=i) for i in (4, 5, 6))
SCALE = 8**-0.5


def attend(q, k, v):
    return torch.softmax(q @ k.transpose(-1, -2) * SCALE, -1) @ v


def run(styles=None, **options):
    styles = [StyleRows(KS, VS, q=QS)] if styles is None else styles
    return inject(SelfAttention(Q, K, V, SCALE), None, styles, Injection(gamma=0.0, **options), gamma=0.0)


def both(q_own, k_own, q_style, bias):
    own, style = q_own @ k_own.transpose(-1, -2) * SCALE, q_style @ KS.transpose(-1, -2) * SCALE + bias
    return torch.softmax(torch.cat([own, style], -1), -1) @ torch.cat([V, VS.expand(2, -1, -1, -1)], -2)


def test_shared_asks_own_tokens_too_with_the_injected_query():
    assert torch.allclose(run(kv="shared", tau=2.0, bias=0.7), both(2 * Q, K, 2 * Q, 0.7), atol=1e-6)
    assert not torch.allclose(run(kv="shared", tau=2.0), run(kv="concat", tau=2.0), atol=1e-3)
    # at tau 1 without AdaIN there is but one query, and the two modes are one
    assert torch.allclose(run(kv="shared", tau=1.0, bias=0.7), run(kv="concat", tau=1.0, bias=0.7), atol=1e-6)
    for bias in (math.inf, 60.0):
        assert torch.allclose(run(kv="shared", bias=bias), run(kv="replace"), atol=1e-6)
    for bias in (-math.inf, -60.0):
        assert torch.allclose(run(kv="shared", bias=bias), attend(1.5 * Q, K, V), atol=1e-6)


def test_key_adain_gives_own_keys_the_statistics_of_the_styles():
    own = (K - K.mean(-2, keepdim=True)) / K.std(-2, keepdim=True, correction=0)
    moved = own * KS.std(-2, keepdim=True, correction=0) + KS.mean(-2, keepdim=True)
    assert torch.allclose(run(kv="concat", key_adain=1.0), both(Q, moved, 1.5 * Q, 0.0), atol=1e-5)
    half = K + 0.5 * (moved - K)
    assert torch.allclose(run(kv="shared", key_adain=0.5), both(1.5 * Q, half, 1.5 * Q, 0.0), atol=1e-5)


def test_contrast_is_its_formula_and_knows_nothing_of_hidden_tokens():
    weights = torch.softmax(1.5 * Q @ KS.transpose(-1, -2) * SCALE, -1)
    mean = weights.mean(-1, keepdim=True)
    sharper = ((weights - mean) * 1.67 + mean).clamp(0, 1)
    assert torch.allclose(run(contrast=1.67), sharper @ VS, atol=1e-6)
    assert torch.allclose(run(contrast=1.0 + 1e-6), run(), atol=1e-5)
    # without a preference there is nothing to sharpen
    even = [StyleRows(torch.zeros_like(KS), VS)]
    assert torch.allclose(run(even, contrast=5.0), VS.mean(-2, keepdim=True).expand(2, -1, 12, -1), atol=1e-5)
    readable = (torch.arange(20) < 12).float()
    fewer = run([StyleRows(KS[..., :12, :], VS[..., :12, :])], contrast=1.67)
    assert torch.allclose(run([StyleRows(KS, VS, readable=readable)], contrast=1.67), fewer, atol=1e-6)
    twice = [StyleRows(torch.cat([KS, KS], -2), torch.cat([VS, VS], -2), 2.0), StyleRows(KS, VS, 0.0)]
    assert run(twice, contrast=1.67).isfinite().all()


def test_reading_the_content_needs_its_attention_and_nothing_of_the_style():
    backend, content = tiny_backend("sd15"), picture(1)
    options = TransferOptions(Injection(gamma=0.0, read="content"), steps=3, adain=0.0)
    first, second = (stylize(backend, [content], [picture(seed)], options) for seed in (2, 3))
    assert torch.equal(first.latents[0], second.latents[0])
    assert "style" not in first.cost.formula and first.cost.counted == first.cost.planned == 3 + 1 + 3
    read = stylize(backend, [content], [picture(2)], options.changed(read="style"))
    assert (read.latents[0] - first.latents[0]).abs().max() > 1e-2
    # two contents in one batch each read their own keys and values
    pair = stylize(backend, [content, picture(5)], [picture(2)], options)
    assert torch.allclose(pair.latents[0], first.latents[0], atol=1e-5)


def test_calibration_at_the_last_step_gives_the_result_the_styles_tones():
    backend, style = tiny_backend("sd15"), picture(2)
    options = preset("visual-style-prompting", backend).changed(steps=4)

    def tones(calibration):
        result = stylize(backend, [picture(1)], [style], options.changed(calibration=calibration))
        return torch.stack([result.latents[0].mean((-2, -1)), result.latents[0].std((-2, -1))])

    clean = backend.codec.encode(style[None])[0]
    wanted = torch.stack([clean.mean((-2, -1)), clean.std((-2, -1))])
    off = tones(Calibration())
    assert torch.allclose(tones(Calibration(1.0)), wanted, atol=1e-4)
    assert torch.allclose(tones(Calibration(1.0, 0.95, 1.0)), wanted, atol=1e-4)  # the last step alone
    assert not torch.allclose(off, wanted, atol=1e-2)
    assert torch.equal(tones(Calibration(0.0)), off)
    assert torch.equal(tones(Calibration(1.0, 0.1, 0.2)), off)  # between two steps


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Injection(read="both"), "read is 'both'; use style or content"),
        (lambda: Injection(key_adain=2.0, kv="shared"), "key_adain is 2.0"),
        (lambda: Injection(key_adain=1.0), "key_adain moves own keys, which kv 'replace' does not read"),
        (lambda: Injection(contrast=0.5), "contrast is 0.5; it must be at least 1"),
        (lambda: Injection(contrast=2.0, kv="concat"), "contrast is 2.0, which goes with kv 'replace' alone"),
        (
            lambda: TransferOptions(Injection(read="content"), leak_guard=1.0),
            "leak_guard asks with the style's queries",
        ),
        (lambda: TransferOptions(Injection(read="content")).without_content(), "there is no content picture"),
        (lambda: Calibration(2.0), "amount is 2.0"),
        (lambda: Calibration(1.0, 0.6, 0.5), "from 0.6 to 0.5"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(make, words):
    with pytest.raises(ValueError, match=words):
        make()
