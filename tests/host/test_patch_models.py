"""The patch with mixes of styles, other weights for the content, kept styles, ControlNet: patch_models_native.py."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

EQUAL = {
    "mix: weight 0 leaves a style out": 1e-5,
    "content_model: its own changes nothing": 1e-5,
    "content_model: same again": 0.0,
    "content_model: irrelevant at gamma 0": 1e-5,
    "content_model: model again": 1e-5,
    "kept: first run": 0.0,
    "kept: second run": 0.0,
    "kept: another prompt": 0.0,
    "kept: other steps": 0.0,
    "kept: a LoRA after": 1e-5,
    "ControlNet: strength 0 is the plain model, cfg 1": 0.0,
    "ControlNet: strength 0 is the plain model, cfg 7": 0.0,
    "partly loaded, cfg 1": 1e-3,
    "partly loaded, cfg 7": 1e-3,
    "whole again": 1e-5,
}
DIFFERENT = [
    "mix: another style in each half", "mix: a place leaves the rest alone", "mix: batch and guidance",
    "content_model matters", "content_model is not generation's", "content_model: levels in between",
    "a second, larger pass",
    *(f"ControlNet{what}, cfg {cfg}" for what in (" matters", ": style matters") for cfg in (1, 7)),
]  # fmt: skip


SAID = {
    "an empty batch": "at least one picture",
    "no pictures": "empty batch",
    "a picture without a VAE": "connect 'vae'",
    "a mix of nothing": "above 0",
    "settings that are none": "'gama'",
    "content_model without the layers": "up.2.3.4",
}


@pytest.fixture(scope="module")
def report(host, tmp_path_factory) -> dict:
    path = tmp_path_factory.mktemp("patch_models") / "report.json"
    run = host.run(Path(__file__).with_name("patch_models_native.py"), path)
    assert run.returncode == 0, run.stdout
    return json.loads(path.read_text())


@pytest.mark.parametrize("case", EQUAL)
def test_these_are_equal(report, case):
    assert report[case] <= EQUAL[case]


@pytest.mark.parametrize("case", DIFFERENT)
def test_these_differ(report, case):
    assert report[case] > 1e-2


@pytest.mark.parametrize("case", SAID)
def test_what_is_wrong_is_said_in_one_sentence(report, case):
    assert SAID[case] in report[case]


def test_a_style_in_each_half_is_near_what_each_alone_gives_there(report):
    assert report["mix: near each style in its half"] < 0.15


def test_a_kept_style_costs_nothing(report):
    # content 1, generation with guidance 2; the style's 1 only in the first run
    assert report["E per step, kept"]["first"] == 4.0
    assert report["E per step, kept"]["second"] == 3.0
    assert report["E per step, kept"]["another prompt"] == 3.0


def test_the_weights_were_partly_loaded(report):
    assert report["partly loaded"] == 1.0
