"""The patch holds its promises: under samplers, LoRA, masks, areas, splits and clones (patch_native.py); with mixes of
styles, other weights for the content, cached styles, a ControlNet, partly loaded weights (patch_models_native.py)."""

from __future__ import annotations

import json

import pytest

from support.comfy_host import INSIDE

EQUAL = {
    "newer host: a layer, edited": 0.0,
    "newer host: a layer, plain": 0.0,
    "newer host: attention of another node": 0.0,
    "strength 0 is the plain model": 0.0,
    "strength 0, cfg 7": 0.0,
    "strength 1e-4": 1e-2,
    "content is irrelevant at gamma 0": 0.0,
    "no trace on the model": 0.0,
    "patched twice is patched once": 0.0,
    "after two more clones": 0.0,
    "same again": 0.0,
    "LoRA before or after": 1e-5,
    "no trace with a LoRA after": 0.0,
    "model again after a LoRA": 1e-5,
    "split equals unsplit, cfg 1": 1e-3,
    "split equals unsplit, cfg 7": 1e-3,
    "inpaint: kept where masked": 1e-4,
    "mix: weight 0 leaves a style out": 1e-5,
    "content_model: its own changes nothing": 1e-5,
    "content_model: same again": 0.0,
    "content_model: irrelevant at gamma 0": 1e-5,
    "content_model: model again": 1e-5,
    "cache: first run": 0.0,
    "cache: second run": 0.0,
    "cache: another prompt": 0.0,
    "cache: other steps": 0.0,
    "cache: another parametrisation after": 0.0,
    "cache: a LoRA after": 1e-5,
    "ControlNet: strength 0 is the plain model, cfg 1": 0.0,
    "ControlNet: strength 0 is the plain model, cfg 7": 0.0,
    "partly loaded, cfg 1": 1e-3,
    "partly loaded, cfg 7": 1e-3,
    "whole again": 1e-5,
    "guidance: another function before or after": 1e-4,
    "guidance: patched again, once": 1e-4,
    "start tones: kept with a LoRA on the prompt alone": 0.0,
    "start tones: the style's with a LoRA on both": 0.0,
    "start tones: the style's without a LoRA": 0.0,
}
DIFFERENT = [
    "style matters",
    "content matters at gamma 0.5",
    "a LoRA matters",
    "inpaint: style matters where not",
    "area prompt: style matters",
    "mask: style where it is 1",
    "guidance matters",
    *(f"{s}: style matters" for s in ("euler", "ddim", "dpmpp_2m", "dpmpp_2m_sde", "uni_pc", "heun")),
    "mix: another style in each half",
    "mix: a place leaves the rest alone",
    "mix: batch and guidance",
    "start tones: as set are set",
    "content_model matters",
    "content_model is not generation's",
    "content_model: levels in between",
    "a second, larger pass",
    *(f"ControlNet{what}, cfg {cfg}" for what in (" matters", ": style matters") for cfg in (1, 7)),
    "another parametrisation matters",
]
REFUSALS = {
    "another patch on the layer": ("Another node's patch", "up.0.0"),
    "a layer that does not exist": ("up.9", "up.0.0"),
    "other channels": ("16 channels", "4"),
    "NaN latents": ("NaN",),
    "contents and batch do not fit": ("2 of content", "batch of 3"),
    "an empty batch": ("at least one picture",),
    "no pictures": ("empty batch",),
    "a picture without a VAE": ("connect 'vae'",),
    "a mix of nothing": ("above 0",),
    "settings that are none": ("'gama'",),
    "content_model without the layers": ("up.2.3.4",),
}


@pytest.fixture(scope="module")
def report(host, tmp_path_factory) -> dict:
    values = {}
    for script in ("patch_native.py", "patch_models_native.py"):
        path = tmp_path_factory.mktemp("patch") / "report.json"
        run = host.run(INSIDE / script, path)
        assert run.returncode == 0, run.stdout
        values |= json.loads(path.read_text())
    return values


@pytest.mark.parametrize("case", EQUAL)
def test_these_are_equal(report, case):
    assert report[case] <= EQUAL[case]


@pytest.mark.parametrize("case", DIFFERENT)
def test_these_differ(report, case):
    assert report[case] > 1e-2


@pytest.mark.parametrize("case", REFUSALS)
def test_what_cannot_work_is_refused_with_its_reason(report, case):
    assert all(part in report[case] for part in REFUSALS[case]), report[case]


def test_hooks_take_what_newer_hosts_hand_over(report):
    assert report["newer host: passed on"] == [[6, ["latent_shapes"]], [5, ["latent_shapes"]]]
    # an attn1_patch has another signature on the transformers of newer hosts: none is ever put on a MODEL
    assert report["newer host: options of a patched MODEL"] == []


def test_plain_rows_run_by_the_attention_that_another_node_has_set(report):
    # a layer: self-attention and cross-attention of content and style, cross-attention of generation
    assert report["newer host: calls of it"] == 5.0


def test_sizes_other_than_the_contents_work(report):
    assert report["other sizes"] == 1.0


def test_cost_is_what_the_formula_says(report):
    # content and style once each, generation once or, with guidance, twice; no content where it is not asked
    assert report["E per step"] == {"no cfg": 3.0, "cfg": 4.0, "gamma 0": 3.0}


def test_a_style_in_each_half_is_near_what_each_alone_gives_there(report):
    assert report["mix: near each style in its half"] < 0.15


def test_cached_pictures_cost_nothing(report):
    # generation with guidance 2; content's and style's 1 each only in the first run
    assert report["E per step, cached"]["first"] == 4.0
    assert report["E per step, cached"]["second"] == 2.0
    assert report["E per step, cached"]["another prompt"] == 2.0


def test_the_weights_were_partly_loaded(report):
    assert report["partly loaded"] == 1.0
