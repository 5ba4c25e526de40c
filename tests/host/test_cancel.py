"""Progress, previews and cancel as the page sees them."""

from __future__ import annotations

import json

import pytest

from support.api_graphs import triple_inputs
from support.comfy_host import INSIDE

BIG = 384  # pixels: a step takes long enough for a message to arrive in the middle of one


def encoded_picture() -> dict:
    """mini, an empty prompt and a plain picture's latents: good enough to be inverted."""
    return {
        "1": {"class_type": "SWF_MiniLoader", "inputs": {}},
        "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "", "clip": ["1", 1]}},
        "3": {"class_type": "EmptyImage", "inputs": {"width": BIG, "height": BIG, "batch_size": 1, "color": 0x8040C0}},
        "4": {"class_type": "VAEEncode", "inputs": {"pixels": ["3", 0], "vae": ["1", 2]}},
    }


def inversion(steps: int) -> dict:
    inputs = {
        "model": ["1", 0],
        "text": ["2", 0],
        "picture": ["4", 0],
        "steps": steps,
        "scheduler": "normal",
        "denoise": 1.0,
        "encoding": "ddim",
        "refinements": 0,
        "forward_first": 0,
        "seed": 0,
    }
    return encoded_picture() | {
        "5": {"class_type": "SWF_Trajectory", "inputs": inputs},
        "6": {"class_type": "SaveLatent", "inputs": {"samples": ["5", 1], "filename_prefix": "start"}},
    }


def repaint(steps: int) -> dict:
    inputs = triple_inputs(
        model=["1", 0], positive=["2", 0], negative=["2", 0], content=["4", 0], style=["4", 0], steps=steps
    )
    return encoded_picture() | {
        "5": {"class_type": "SWF_TripleSampler", "inputs": inputs},
        "6": {"class_type": "SaveLatent", "inputs": {"samples": ["5", 0], "filename_prefix": "repainted"}},
    }


@pytest.fixture
def watch(host, server):
    def run(graph: dict, interrupt_after: int = 0) -> dict:
        script = INSIDE / "watch_native.py"
        result = host.run(script, server.url, json.dumps(graph), str(interrupt_after))
        assert result.returncode == 0, result.stdout
        return json.loads(result.stdout.splitlines()[-1])

    return run


def values(report: dict) -> list[int]:
    return [value for node, value, _ in report["progress"] if node == "5"]


def test_an_inversion_shows_progress_and_previews(watch):
    report = watch(inversion(6))
    assert report["end"] == "execution_success"
    assert [v for v in values(report) if v] == sorted(set(values(report)) - {0}) and max(values(report)) == 6
    assert report["previews"] >= 3


def test_a_repainting_shows_both_inversions_and_the_sampling(watch):
    report = watch(repaint(6))
    assert report["end"] == "execution_success"
    assert values(report).count(6) >= 3 and report["previews"] >= 3


@pytest.mark.parametrize("graph", [inversion(400), repaint(400)], ids=["inversion", "repainting"])
@pytest.mark.parametrize("after", [3])
def test_cancel_stops_within_a_step(watch, graph, after):
    report = watch(graph, after)
    assert report["end"] == "execution_interrupted"
    assert report["after interrupt"] <= 1, report


def test_cancel_stops_the_sampling_too(watch):
    report = watch(repaint(8), 8 + 8 + 3)  # both inversions are over, sampling is in its third step
    assert report["end"] == "execution_interrupted" and report["after interrupt"] <= 1, report
