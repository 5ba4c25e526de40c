"""A LoRA of a diffusion transformer says the same through ComfyUI's LoraLoaderModelOnly as in diffusers."""

from __future__ import annotations

import json

import pytest

from support.comfy_host import INSIDE

FAMILIES = ("Flux", "SD3")
CASES = [
    f"{family}, {targets}, {layout}"
    for family in FAMILIES
    for targets in ("attention", "attention and feed-forward")
    for layout in ("native", "kohya")
]


@pytest.fixture(scope="module")
def report(host, tmp_path_factory) -> dict:
    path = tmp_path_factory.mktemp("lora") / "report.json"
    run = host.run(INSIDE / "lora_transformers_native.py", path)
    assert run.returncode == 0, run.stdout
    return json.loads(path.read_text())


@pytest.mark.parametrize("family", FAMILIES)
def test_the_networks_are_the_same_without_a_lora(report, family):
    assert report[f"{family} plain"] < 1e-4


@pytest.mark.parametrize("case", ["Qwen-Image keys, native", "Qwen-Image keys, kohya", "Lumina2 keys, kohya"])
def test_every_key_of_other_families_is_known(report, case):
    values = report[case]
    assert values["unknown"] == [] and values["layers"] == values["patches"] >= 20


@pytest.mark.parametrize("case", CASES)
def test_every_layer_is_matched_and_the_outputs_agree(report, case):
    values = report[case]
    assert values["unknown"] == [] and values["layers"] == values["patches"] >= 9
    assert values["difference"] < 1e-4 < 1e-2 < values["effect"]
