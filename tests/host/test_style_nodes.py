"""Style Save and Style Load in a running ComfyUI."""

from __future__ import annotations

import json

import pytest
import torch

from swf_core.measure.metrics.pairs import make_pairs
from swf_core.style_file import StyleFile, load_style, save_style

from support.api_graphs import patch_inputs, triple_inputs
from support.comfy_server import error_of, put_pictures


@pytest.fixture(scope="module")
def pictures(base):
    pair = make_pairs(3, 12_345_900)[1]
    put_pictures(base, pair, "shared_")
    return pair


def save_graph(name: str):
    links = {"model": ["1", 0], "style": ["2", 0], "vae": ["1", 2]}
    patch = patch_inputs(**links, strength=0.9, gamma=0.0)
    inputs = {"picture": ["2", 0], "name": name, "caption": "a mosaic of a boat", "stripped_caption": "a boat"}
    return {
        "1": {"class_type": "SWF_MiniLoader", "inputs": {}},
        "2": {"class_type": "LoadImage", "inputs": {"image": "shared_style.png"}},
        "3": {"class_type": "SWF_QueryPreservePatch", "inputs": patch},
        "4": {"class_type": "SWF_StyleSave", "inputs": inputs | {"model": ["3", 0]}},
    }


def load_graph(file: str):
    triple = triple_inputs(
        model=["3", 4], positive=["4", 0], negative=["4", 0], content=["2", 0], style=["3", 0], vae=["1", 2], steps=3
    )
    return {
        "1": {"class_type": "SWF_MiniLoader", "inputs": {}},
        "2": {"class_type": "LoadImage", "inputs": {"image": "shared_content.png"}},
        "3": {"class_type": "SWF_StyleLoad", "inputs": {"file": file, "lora_strength": 1.0, "model": ["1", 0]}},
        "4": {"class_type": "CLIPTextEncode", "inputs": {"text": "", "clip": ["1", 1]}},
        "5": {"class_type": "SWF_TripleSampler", "inputs": triple},
        "6": {"class_type": "VAEDecode", "inputs": {"samples": ["5", 0], "vae": ["1", 2]}},
        "7": {"class_type": "SaveImage", "inputs": {"images": ["6", 0], "filename_prefix": "shared"}},
    }


def test_a_saved_style_is_loaded_and_used(server, pictures):
    assert server.run(save_graph("Anna's mosaic"))["status"]["status_str"] == "success"
    path = server.base / "output" / "swf_styles" / "Anna's mosaic.safetensors"
    style = load_style(path)
    assert (style.caption, style.stripped, style.family) == ("a mosaic of a boat", "a boat", "mini")
    assert style.settings["gamma"] == 0.0 and style.settings["strength"] == 0.9
    assert (style.picture - pictures.style).abs().max() < 0.01
    saved = server.pictures(server.run(load_graph(path.name)))
    assert len(saved) == 2  # the style's preview and the result
    assert json.dumps(dict(style.settings))


def test_a_lora_for_another_family_is_refused(server, pictures):
    lora = {"lora_unet_up_blocks_1_attentions_0_transformer_blocks_0_attn1_to_q.lora_down.weight": torch.zeros(2, 8)}
    folder = server.base / "output" / "swf_styles"
    save_style(folder / "foreign.safetensors", StyleFile(pictures.style, lora=lora, family="SD1.x"))
    assert "for SD1.x models and this one is mini" in error_of(server.run(load_graph("foreign.safetensors")))


def test_a_name_that_is_no_file_name_is_refused(server, pictures):
    assert "cannot be a file's name" in error_of(server.run(save_graph("../..")))
