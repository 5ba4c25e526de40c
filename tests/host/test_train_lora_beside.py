"""Our trainer beside ComfyUI's own Train LoRA, on the same MODEL in the shape of SD1.5: rate and memory."""

from __future__ import annotations

import json

import pytest

from support.comfy_host import INSIDE

pytestmark = pytest.mark.slow  # minutes, and the rate says nothing on a busy machine


@pytest.fixture
def report(host, tmp_path):
    def measured(who: str) -> dict:
        path = tmp_path / "report.json"
        run = host.run(INSIDE / "train_lora_native.py", path, who, seconds=1200)
        assert run.returncode == 0, run.stdout
        print(who, path.read_text())
        return json.loads(path.read_text())

    return measured


def test_as_many_steps_a_second(report):
    seconds = report("both")["seconds_a_step"]
    assert seconds["Train LoRA"] / seconds["ours"] >= 0.95


def test_no_more_memory_than_train_lora_and_a_copy_of_the_network(report):
    theirs, ours = (report(who) for who in ("Train LoRA, its defaults", "ours"))
    assert ours["peak_gib"] <= theirs["peak_gib"] + ours["unet_gib"]
