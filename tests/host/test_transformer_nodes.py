"""The transfer nodes on tiny transformers of the host: every preset and encoding (transformer_nodes_native.py)."""

from __future__ import annotations

import json

import pytest

from support.comfy_host import INSIDE

FAMILIES = {"Flux": 4, "SD3": 4, "Qwen-Image": 5, "Lumina2": 4}  # with the dimensions of a latent


@pytest.fixture(scope="module")
def report(host, tmp_path_factory) -> dict:
    path = tmp_path_factory.mktemp("nodes") / "report.json"
    run = host.run(INSIDE / "transformer_nodes_native.py", path)
    assert run.returncode == 0, run.stdout
    return json.loads(path.read_text())


@pytest.mark.parametrize("family", FAMILIES)
def test_every_preset_gives_a_latent_of_the_hosts_own_shape(report, family):
    shapes = report["presets: shapes"][family]
    assert len(shapes) > 10 and report["presets: finite"][family]
    assert all(len(shape) == FAMILIES[family] and shape[-2:] == [16, 12] for shape in shapes)


@pytest.mark.parametrize("family", FAMILIES)
def test_presets_of_unets_are_refused_by_the_familys_name(report, family):
    refused = report["presets for UNets"][family]
    assert refused and all("for UNets" in message and family in message for message in refused.values())


@pytest.mark.parametrize("family", FAMILIES)
def test_the_nodes_act(report, family):
    assert report["same again"][family] == 0.0
    for case in ("style matters", "patch: style matters", "patch: window", "patch: scatter_sort matters"):
        assert report[case][family] > 1e-3, case
    assert (report["untwist matters"][family] > 1e-3) == (family != "SD3")


@pytest.mark.parametrize("family", FAMILIES)
def test_the_exact_inverse_of_euler_leads_back_by_euler(report, family):
    errors = report["back from a trajectory's start"][family]
    assert errors["fixed_point"] < 1e-3 and errors["auto"] == errors["fireflow"]
    assert all(errors["fixed_point"] < errors[kind] / 10 for kind in ("ddim", "fireflow", "midpoint"))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_patched_model_goes_the_whole_way_back(report, family):
    # from t = 1 on, where the host multiplies a latent by 0
    assert report["the whole way back"][family] < 5e-3


@pytest.mark.parametrize("family", FAMILIES)
def test_color_edit_moves_a_transfer(report, family):
    moved = report["colors move"][family]
    assert "words" in moved and all(value > 1e-3 for value in moved.values()), moved


@pytest.mark.parametrize("family", FAMILIES)
def test_words_that_are_none_are_refused(report, family):
    refused = report["refusals"][family]
    assert "give gains" in refused["untwist"] and "use one of untwist" in refused["positions"]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_style_files_lora_goes_onto_its_own_family_alone(report, family):
    assert report["a LoRA matters"][family] > 1e-3 and report["model again after a LoRA"][family] == 0.0
    refused = report["LoRAs refused"][family]
    assert len(refused) == 4
    for other, message in refused.items():
        assert "does not fit" in message, message
        assert other == "another width" or (other in message and family in message), message


def test_networks_that_no_hook_reaches_are_refused_by_name(report):
    assert len(report["unreached"]) == 3
    for name, message in report["unreached"].items():
        assert name in message and "Qwen-Image" in message and "SDXL" in message, message


def test_networks_of_newer_hosts_are_told_by_their_features(report):
    assert report["newer hosts"] == {
        "families": ["Z-Image", "Flux.2"],
        "first token of Z-Image's picture behind 40 of text": 64,
        "axes of Flux.2's pictures": [1, 2],
    }
