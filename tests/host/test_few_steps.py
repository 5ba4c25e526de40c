"""The patch in few steps at cfg 1, as weights distilled for them are sampled in ComfyUI (few_steps_native.py)."""

from __future__ import annotations

import json

import pytest

from support.comfy_host import INSIDE

RULES = [
    *(f"lcm, {scheduler}" for scheduler in ("sgm_uniform", "simple", "beta", "normal", "SDTurboScheduler")),
    "euler_ancestral, SDTurboScheduler",
    "euler, sgm_uniform",
]
CASES = [f"{rule}, {steps}" for rule in RULES for steps in (1, 2, 4, 8)]


@pytest.fixture(scope="module")
def report(host, tmp_path_factory) -> dict:
    path = tmp_path_factory.mktemp("few") / "report.json"
    run = host.run(INSIDE / "few_steps_native.py", path, seconds=900)
    assert run.returncode == 0, run.stdout
    return json.loads(path.read_text())


@pytest.mark.parametrize("case", CASES)
def test_a_picture_comes_out_and_shows_the_style(report, case):
    values = report[case]
    assert values["finite"] and values["same again"] == 0.0
    assert values["another seed"] > 1e-3 and values["style"] > 1e-3


@pytest.mark.parametrize("case", CASES)
def test_cost_is_what_the_formula_says(report, case):
    values = report[case]
    steps = values["levels"]
    # Two pictures inverted, the level that no inversion comes by read from each, generation; then generation alone.
    assert values["E"] == [3 * steps + 2, steps]


def test_gamma_follows_the_noise_level_not_the_number_of_steps(report):
    assert report["levels that gamma was asked at"] >= 8
    assert set(report["gammas at each level"]) == {1}


def test_a_whole_schedule_is_known_for_one(report):
    assert report["warnings"] == []
