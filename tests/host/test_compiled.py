"""A style transfer on a compiled MODEL, by the host's own way of compiling (compile_native.py)."""

from __future__ import annotations

import json

import pytest

from support.comfy_host import INSIDE


@pytest.fixture(scope="module")
def report(host, tmp_path_factory) -> dict:
    path = tmp_path_factory.mktemp("compiled") / "report.json"
    run = host.run(INSIDE / "compile_native.py", path, seconds=600)
    assert run.returncode == 0, run.stdout
    return json.loads(path.read_text())


@pytest.mark.parametrize("how", ["as it is", "no question of the options"])
def test_a_compiled_model_gives_the_same_latents_without_a_break_in_its_graph(report, how):
    """Two styles, known and unknown; the network is traced as few times as it is called in different ways."""
    assert report["styles differ"] > 1e-4
    assert report[how]["apart"] == 0.0
    assert report[how]["breaks"] == 0, report[how]["why"]
    assert report[how]["graphs"] <= 3
