"""A LoRA trained in a copy of ComfyUI's network says the same through ComfyUI's own loading and in diffusers."""

from __future__ import annotations

import json

import pytest

from support.comfy_host import INSIDE

CASES = [
    f"{family}, {targets}"
    for family in ("sd15", "sd2v", "sdxl")
    for targets in ("attention", "attention and feed-forward", "attention, feed-forward and convolution")
]


@pytest.fixture(scope="module")
def report(host, tmp_path_factory) -> dict:
    path = tmp_path_factory.mktemp("lora") / "report.json"
    run = host.run(INSIDE / "lora_native.py", path)
    assert run.returncode == 0, run.stdout
    return json.loads(path.read_text())


@pytest.mark.parametrize("case", CASES)
def test_every_module_is_matched_and_the_outputs_agree(report, case):
    values = report[case]
    assert values["layers"] == values["patches"] == values["diffusers"] >= 100
    assert values["ComfyUI"] < 1e-4 and values["in diffusers"] < 1e-4 < 1e-2 < values["effect"]


@pytest.mark.parametrize("case", CASES)
def test_gradients_reach_every_layer_and_the_model_is_untouched(report, case):
    assert report[case]["learn"] == 2 * report[case]["layers"] and report[case]["untouched"]
