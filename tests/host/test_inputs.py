"""What every node answers to inputs that its schema does not allow: one sentence that names the input."""

from __future__ import annotations

import json

import pytest

from support.api_graphs import patch_inputs
from support.comfy_host import INSIDE
from support.comfy_server import error_of

NODES = [
    "SWF_BlipCaption",
    "SWF_ColorEdit",
    "SWF_FeedbackGallery",
    "SWF_FineDetail",
    "SWF_LoadFolder",
    "SWF_LoraTrain",
    "SWF_QueryPreservePatch",
    "SWF_SaveFolder",
    "SWF_StyleDataset",
    "SWF_StyleLoad",
    "SWF_StyleMix",
    "SWF_StyleSave",
    "SWF_StyleStrip",
    "SWF_TrainOn",
    "SWF_Trajectory",
    "SWF_TransferPrompt",
    "SWF_TripleSampler",
]


@pytest.fixture(scope="module")
def report(host, tmp_path_factory) -> dict:
    path = tmp_path_factory.mktemp("inputs") / "report.json"
    run = host.run(INSIDE / "inputs_native.py", path)
    assert run.returncode == 0, run.stdout
    return json.loads(path.read_text())


def test_every_node_with_inputs_is_asked(report):
    assert {node for node, answers in report.items() if answers} == {*NODES, "settings"}


@pytest.mark.parametrize("node", NODES)
def test_nan_null_and_values_out_of_range_get_a_sentence_that_names_the_input(report, node):
    for given, answer in report[node].items():
        name, kind = given.split(": ")
        assert name in answer and answer.endswith(".") and "\n" not in answer, (given, answer)
        assert ("Nothing arrives" in answer) == (kind == "none"), (given, answer)


def test_nan_in_the_settings_of_a_style_file_is_refused(report):
    for name, answer in report["settings"].items():
        assert repr(name) in answer and "nan" in answer, answer


def test_a_prompt_with_nan_ends_in_a_sentence(server):
    # JSON has no NaN, but the host reads it, and a range check lets it pass
    graph = {
        "1": {"class_type": "SWF_MiniLoader", "inputs": {}},
        "2": {"class_type": "EmptyLatentImage", "inputs": {"width": 128, "height": 128, "batch_size": 1}},
        "3": {"class_type": "SWF_StyleMix", "inputs": {"style": ["2", 0], "weight": float("nan")}},
        "4": {"class_type": "SWF_QueryPreservePatch", "inputs": {"model": ["1", 0], "style": ["3", 0]}},
    }
    graph["4"]["inputs"] |= patch_inputs(gamma=0.0)
    graph["5"] = {
        "class_type": "KSampler",
        "inputs": {"model": ["4", 0], "latent_image": ["2", 0], "seed": 0, "steps": 1},
    }
    graph["6"] = {"class_type": "CLIPTextEncode", "inputs": {"text": "", "clip": ["1", 1]}}
    graph["5"]["inputs"] |= {
        "seed": 0,
        "steps": 1,
        "cfg": 1.0,
        "sampler_name": "euler",
        "scheduler": "normal",
        "denoise": 1.0,
    }
    graph["5"]["inputs"] |= {"positive": ["6", 0], "negative": ["6", 0]}
    graph["7"] = {"class_type": "VAEDecode", "inputs": {"samples": ["5", 0], "vae": ["1", 2]}}
    graph["8"] = {"class_type": "PreviewImage", "inputs": {"images": ["7", 0]}}
    error = error_of(server.run(graph))
    assert "weight is nan" in error and "0.0 to 10.0" in error
