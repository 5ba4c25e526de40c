"""Style transfer on diffusion transformers, whole runs on tiny random networks of six families."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from swf_core.transfer import Content, Injection, StyleInput, TransferOptions, stylize
from swf_core.transfer.rope import POSITIONS, Untwist

from support.tiny_models import picture
from support.tiny_transformers import TRANSFORMERS, tiny_transformer_backend

every = pytest.mark.parametrize("family", TRANSFORMERS)
CONTENT, STYLE = picture(1), picture(2)
FAST = TransferOptions(Injection(gamma=0.4, tau=1.5), steps=4, adain=0.0)


def run(family, options=FAST, contents=(CONTENT,), styles=(STYLE,), **more):
    return stylize(tiny_transformer_backend(family), contents, styles, options, **more)


def apart(a, b):
    return float((a.latents[0] - b.latents[0]).abs().max())


@every
def test_strength_0_is_the_plain_model_to_the_bit(family):
    none = run(family, FAST.changed(strength=0.0))
    other = run(family, FAST.changed(strength=0.0), styles=[picture(3)])
    window = run(family, FAST.changed(sigma_low=1e5, sigma_high=1e6))
    assert torch.equal(none.latents[0], other.latents[0]) and torch.equal(none.latents[0], window.latents[0])
    assert apart(none, run(family)) > 1e-3


@every
@pytest.mark.parametrize("kv", ["replace", "concat", "shared"])
def test_style_matters(family, kv):
    options = FAST.changed(kv=kv)
    first = run(family, options)
    assert torch.isfinite(first.latents[0]).all() and torch.equal(first.latents[0], run(family, options).latents[0])
    assert apart(first, run(family, options, styles=[picture(3)])) > 1e-3


@every
def test_little_strength_is_near_the_plain_model(family):
    plain = run(family, FAST.changed(strength=0.0))
    gaps = [apart(run(family, FAST.changed(strength=s)), plain) for s in (1e-4, 1e-2, 1.0)]
    assert gaps[0] < gaps[1] < gaps[2] and gaps[0] < 1e-2 * gaps[2]


@every
def test_concat_without_the_styles_odds_is_plain(family):
    plain = run(family, FAST.changed(strength=0.0))
    assert apart(run(family, FAST.changed(kv="concat", bias=-60.0)), plain) < 1e-3


@every
def test_content_as_its_own_style_is_the_content_again(family):
    """Own keys and values at own places, asked by own queries: the plain run, whatever the cure of a style's keys."""
    options = FAST.changed(read="content", gamma=1.0, tau=1.0, refinements=16)
    plain, read = run(family, options.changed(strength=0.0)), run(family, options)
    styled = run(family, options.changed(read="style"))
    assert apart(plain, read) < 1e-3 * apart(plain, styled)  # what inversion leaves


@every
@pytest.mark.parametrize("cfg", [1.0, 3.0])
@pytest.mark.parametrize("features", ["capture", "lockstep"])
def test_evaluations_counted_are_planned(family, cfg, features):
    options = replace(FAST, cfg=cfg, features=features)
    cost = run(family, options, [Content(CONTENT, "a tree")]).cost
    generation = 4 if cfg == 1.0 else 8
    assert cost.counted == cost.planned == generation + {"capture": 2 * 5, "lockstep": 2 * 8}[features]


@every
def test_lockstep_shows_what_capture_keeps(family):
    a, b = run(family), run(family, replace(FAST, features="lockstep"))
    assert apart(a, b) < 1e-3


@every
def test_three_pictures_are_painted_as_one_each(family):
    contents = [Content(picture(seed), "a tree") for seed in (4, 5, 6)]
    options = replace(FAST, cfg=3.0)
    together = run(family, options, contents)
    alone = run(family, options, contents[1:2])
    assert len(together.images) == 3
    assert float((together.latents[1] - alone.latents[0]).abs().max()) < 1e-3


@every
def test_sizes_may_differ(family):
    tall, wide = picture(7, 96, 64), picture(8, 48, 80)
    options = FAST.changed(size_px=0, style_size_px=0)
    result = run(family, options, [tall], [wide, picture(9)], seed=1)
    assert result.images[0].shape == (3, 96, 64) and torch.isfinite(result.images[0]).all()
    assert apart(result, run(family, options, [tall], [picture(9)], seed=1)) > 1e-3


def test_each_cure_has_its_own_result_on_rotary_positions_and_none_without():
    flux = [run("flux", FAST.changed(positions=how)).latents[0] for how in POSITIONS]
    assert all(float((a - b).abs().max()) > 1e-4 for i, a in enumerate(flux) for b in flux[:i])
    sd3 = [run("sd3", FAST.changed(positions=how)).latents[0] for how in POSITIONS]
    assert all(torch.equal(a, sd3[0]) for a in sd3)


def test_untwists_gains_are_options_and_neutral_ones_leave_keys_where_they_are():
    same = run("flux", FAST.changed(positions="same"))
    ones = FAST.changed(untwist=Untwist.parse("1,1"))
    assert apart(run("flux", ones), same) < 1e-5 < 1e-4 < apart(run("flux"), same)
    matched = FAST.changed(untwist=Untwist(flat_first=False))
    assert apart(run("flux", matched), run("flux")) > 1e-4
    assert torch.equal(run("sd3", matched).latents[0], run("sd3").latents[0])
    assert "untwist" not in repr(TransferOptions()) and "untwist" in repr(ones)


@every
@pytest.mark.parametrize("options", [dict(kv="adaattn"), dict(contrast=1.67)])
def test_what_has_no_meaning_beside_text_is_refused(family, options):
    with pytest.raises(ValueError, match="on a transformer use replace, concat, shared or scatter_sort"):
        run(family, FAST.changed(**options))


def test_positions_are_checked_and_a_default_is_not_shown():
    with pytest.raises(ValueError, match="positions is 'left'; use one of untwist"):
        TransferOptions(positions="left")
    assert "positions" not in repr(TransferOptions()) and "positions='shift'" in repr(FAST.changed(positions="shift"))


OPTIONS = {
    "guards": dict(leak_guard=1.0, style_guidance=1.0, query_adain=0.5, cfg=2.0),
    "bdia": dict(solver="bdia", content_encoding="bdia", style_encoding="bdia"),
    "fresh noise": dict(style_encoding="stochastic", start="stochastic", solver="euler_ancestral"),
    "own keys moved": dict(kv="shared", key_adain=0.5, bias=0.5, value_shift=0.5, adain=1.0),
    "fewer levels": dict(features="alternate", precision="fp16"),
}


@every
@pytest.mark.parametrize("name", OPTIONS)
def test_the_other_options_run_and_cost_what_was_planned(family, name):
    options = FAST.changed(**OPTIONS[name])
    left = torch.zeros(64, 64)
    left[:, :32] = 1.0
    styles = [StyleInput(STYLE, place=left), StyleInput(picture(3), 0.5, readable=left)]
    result = run(family, options, [Content(CONTENT, "a tree")], styles)
    assert torch.isfinite(result.latents[0]).all() and result.cost.counted == result.cost.planned
    assert apart(result, run(family, options, [Content(CONTENT, "a tree")], [STYLE])) > 1e-3


@every
def test_a_style_may_be_words(family):
    result = run(family, styles=["oil"])
    assert torch.isfinite(result.latents[0]).all() and apart(result, run(family, styles=["a pencil"])) > 1e-3
