"""Samplings that are split add up to the unsplit one, and noise masks are kept, on mini inside ComfyUI
(split_native.py)."""

from __future__ import annotations

import json

import pytest

from support.comfy_host import INSIDE

# KSampler (Advanced) in parts, and the same levels by SplitSigmas, against one sampling.
SPLITS = [
    "plain",
    "constant",
    "cosine",
    "cosine, cached",
    "bdia",
    "forward first",
    "cfg 4",
    "karras",
    "simple",
    "beta",
    "ddim_uniform",
    "dpmpp_2m, plain",
    "dpmpp_2m, cosine",
    "denoise 0.6, connected",
    "a schedule of no one, connected",
]
KEPT = [
    "mask, custom: kept half",
    "mask, styleid: kept half",
    "mask of another size: kept part",
    "mask of a batch: kept half",
    "mask, KSampler: kept half",
    "mask, trajectory: kept half",
    "mask, from a trajectory's start: kept half",
]
REPAINTED = [
    "mask, custom: other half",
    "mask, styleid: other half",
    "mask, from a trajectory's start: other half",
    "no mask, from a trajectory's start: first half",
]


@pytest.fixture(scope="module")
def report(host, tmp_path_factory) -> dict:
    path = tmp_path_factory.mktemp("split") / "report.json"
    run = host.run(INSIDE / "split_native.py", path)
    assert run.returncode == 0, run.stdout
    return json.loads(path.read_text())


@pytest.mark.parametrize("case", SPLITS)
def test_a_split_sampling_is_the_unsplit_one(report, case):
    assert report[f"split, {case}"] <= 1e-3


def test_so_is_one_in_three_parts(report):
    assert report["split in three"] <= 1e-3


def test_the_schedule_of_gamma_matters(report):
    assert report["cosine matters"] > 1e-2


def test_the_second_part_reads_what_the_first_has_kept(report):
    # three levels of six: content and style inverted up six levels, which shows the features of all but the highest,
    # those of that one, and generation at three; after that generation alone
    assert report["E of the parts"] == [6 + 6 + 2 + 3, 3]


def test_a_part_of_an_unknown_schedule_is_told(report):
    warnings = report["warnings, a schedule of no one, alone"]
    assert len(warnings) == 2 and all("'schedule'" in warning for warning in warnings)
    assert report["split, a schedule of no one, alone"] > 1e-3
    assert report["warnings, a schedule of no one, connected"] == []


def test_a_schedule_that_is_not_the_samplers_is_refused(report):
    assert "'schedule'" in report["another schedule"]


@pytest.mark.parametrize("case", KEPT)
def test_what_a_noise_mask_keeps_stays(report, case):
    assert report[case] <= 1e-4


@pytest.mark.parametrize("case", REPAINTED)
def test_the_rest_is_repainted(report, case):
    assert report[case] > 1e-2


@pytest.mark.parametrize(
    "case", ["mask, custom", "mask, styleid", "mask, KSampler", "mask, trajectory: of the start", "mask, trajectory"]
)
def test_what_a_latent_has_beside_its_samples_goes_on(report, case):
    name = {"mask, trajectory: of the start": "mask, trajectory: keys of the start"}.get(case, f"{case}: keys")
    name = "mask, trajectory: keys of the result" if case == "mask, trajectory" else name
    assert report[name] == ["batch_index", "noise_mask", "own key", "samples"]
