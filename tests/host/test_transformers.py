"""The patch holds its promises on the host's nine families of diffusion transformers, tiny and random
(transformers_native.py)."""

from __future__ import annotations

import json

import pytest

from support.comfy_host import INSIDE

FAMILIES = ["Flux", "Chroma", "SD3", "Qwen-Image", "Lumina2", "HiDream", "AuraFlow", "OmniGen2", "Wan"]
# Of which pictures stand at rotary places, and of which graphs give reference latents.
PLACED = [family for family in FAMILIES if family not in ("SD3", "AuraFlow")]
REFERRED = ["Flux", "Qwen-Image", "OmniGen2"]
EQUAL = {
    "strength 0 is the plain model": 0.0,
    "strength 0, cfg 3, batch 3": 0.0,
    "style out of the running is the plain model": 0.0,
    "no trace on the model": 0.0,
    "same again": 0.0,
    "after two more clones": 0.0,
    "guidance in two calls": 1e-3,
    "LoRA before or after": 1e-5,
    "model again after a LoRA": 1e-5,
    "partly loaded": 1e-3,
    "split equals unsplit": 1e-3,
    "with a store, without": 0.0,
}
DIFFERENT = [
    "style matters",
    "content matters",
    "sizes: another style matters",
    "a LoRA matters",
    *(f"{s}: style matters" for s in ("euler", "ddim", "dpmpp_2m", "dpmpp_2m_sde", "uni_pc", "heun")),
]
REFUSALS = {
    "a layer outside": ("double.77", "it has"),
    "other channels": ("7 channels", "own VAE"),
    "frames": ("one frame before the height",),
    "frames sampled": ("one frame before the height",),
    "a text of another width": ("7 numbers", "reads 48", "own CLIP"),
    "a mode for UNets": ("adaattn", "replace, concat or shared"),
}


@pytest.fixture(scope="module")
def report(host, tmp_path_factory) -> dict:
    path = tmp_path_factory.mktemp("transformers") / "report.json"
    run = host.run(INSIDE / "transformers_native.py", path)
    assert run.returncode == 0, run.stdout
    return json.loads(path.read_text())


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("case", EQUAL)
def test_these_are_equal(report, case, family):
    assert report[case][family] <= EQUAL[case]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("case", DIFFERENT)
def test_these_differ(report, case, family):
    assert report[case][family] > 1e-3


@pytest.mark.parametrize("family", PLACED)
@pytest.mark.parametrize("how", ["untwist", "shift", "free"])
def test_cures_of_copying_change_where_keys_stand(report, how, family):
    assert report[f"positions: {how} is not same"][family] > 1e-3


def test_positions_mean_nothing_without_rotary_places(report):
    assert {report["positions: shift is not same"][family] for family in FAMILIES if family not in PLACED} == {0.0}


@pytest.mark.parametrize("family", FAMILIES)
def test_content_in_its_own_style_comes_back_within_the_inversions_error(report, family):
    error = report["reconstruction"][family]
    assert error["injected"] <= 1.1 * error["plain"] + 0.01


@pytest.mark.parametrize("family", FAMILIES)
def test_a_kept_style_costs_nothing_again(report, family):
    # of 4 steps: content and style are inverted with one evaluation more at the top, generation is one a step
    assert report["E of a first and a second sampling"][family] == [14, 4]


@pytest.mark.parametrize("family", [family for family in FAMILIES if family != "Wan"])
def test_text_reads_what_it_read_before(report, family):
    difference, tokens = report["text rows"][family]
    assert tokens > 0 and difference < 1e-6


@pytest.mark.parametrize("family", FAMILIES)
def test_weights_were_cast_one_by_one(report, family):
    assert report["weights stay where they are"][family] == 1.0


@pytest.mark.parametrize("family", FAMILIES)
def test_a_cancelled_inversion_ends_with_the_call_that_runs(report, family):
    assert report["calls until cancelled"][family] == 2


@pytest.mark.parametrize("family", REFERRED)
def test_reference_latents_of_a_graph_stand_beside_ours(report, family):
    assert report["reference latents matter"][family] > 1e-3
    assert report["reference latents: style matters"][family] > 1e-3
    assert report["reference latents: the plain model"][family] == 0.0


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("case", REFUSALS)
def test_what_cannot_work_is_refused_with_its_reason(report, case, family):
    message = report["refusals"][family][case]
    assert all(part in message for part in REFUSALS[case]), message


@pytest.mark.slow
def test_processor_time_is_that_of_the_evaluations(host, tmp_path_factory):
    """On shapes wide enough that attention is the smaller part of a call, as in the models that people use."""
    path = tmp_path_factory.mktemp("speed") / "report.json"
    run = host.run(INSIDE / "transformer_speed_native.py", path, seconds=1200)
    assert run.returncode == 0, run.stdout
    for family, modes in json.loads(path.read_text()).items():
        for mode, seconds in modes.items():
            # content and style are inverted beside generation's 4 steps
            assert seconds["E"] == (9 if mode == "without content" else 14)
            assert seconds["transfer"] <= 1.15 * seconds["plain"], (family, mode, seconds)
