"""The patch holds its promises under samplers, LoRA, masks, areas, splits and clones (see patch_native.py)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

EQUAL = {
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
}
DIFFERENT = [
    "style matters", "content matters at gamma 0.5", "a LoRA matters", "inpaint: style matters where not",
    "area prompt: style matters", "mask: style where it is 1", "guidance matters",
    *(f"{s}: style matters" for s in ("euler", "ddim", "dpmpp_2m", "dpmpp_2m_sde", "uni_pc", "heun")),
]  # fmt: skip
SAID = {
    "another patch on the layer": ("Another node's patch", "up.0.0"),
    "a layer that does not exist": ("up.9", "up.0.0"),
    "other channels": ("16 channels", "4"),
    "NaN latents": ("NaN",),
    "contents and batch do not fit": ("2 of content", "batch of 3"),
}


@pytest.fixture(scope="module")
def report(host, tmp_path_factory) -> dict:
    path = tmp_path_factory.mktemp("patch") / "report.json"
    run = host.run(Path(__file__).with_name("patch_native.py"), path)
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
    assert all(part in report[case] for part in SAID[case]), report[case]


def test_sizes_other_than_the_contents_work(report):
    assert report["other sizes"] == 1.0


def test_cost_is_what_the_formula_says(report):
    # content and style once each, generation once or, with guidance, twice; no content where it is not asked
    assert report["E per step"] == {"no cfg": 3.0, "cfg": 4.0, "gamma 0": 3.0}
