"""Style transfer in a running ComfyUI, on mini and with stock nodes around it."""

from __future__ import annotations

import time

import numpy as np
import pytest
from PIL import Image

from swf_core.measure.metrics.pairs import make_pairs

from support.api_graphs import patch_inputs, triple_inputs
from support.comfy_server import error_of, put_pictures


@pytest.fixture(scope="module")
def pair(base):
    """A matched pair as files in ComfyUI's input folder."""
    pair = make_pairs(7, 12_345_600)[6]
    put_pictures(base, pair)
    return pair


def stock(**more):
    """The nodes every graph here starts with: model, empty prompt, both pictures encoded."""
    return {
        "1": {"class_type": "SWF_MiniLoader", "inputs": {}},
        "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "", "clip": ["1", 1]}},
        "3": {"class_type": "LoadImage", "inputs": {"image": "content.png"}},
        "4": {"class_type": "LoadImage", "inputs": {"image": "style.png"}},
        "5": {"class_type": "VAEEncode", "inputs": {"pixels": ["3", 0], "vae": ["1", 2]}},
        "6": {"class_type": "VAEEncode", "inputs": {"pixels": ["4", 0], "vae": ["1", 2]}},
        **more,
        "9": {"class_type": "VAEDecode", "inputs": {"samples": ["8", 0], "vae": ["1", 2]}},
        "10": {"class_type": "SaveImage", "inputs": {"images": ["9", 0], "filename_prefix": "swf"}},
    }


def triple(**changed):
    inputs = triple_inputs(model=["1", 0], positive=["2", 0], negative=["2", 0], content=["5", 0], style=["6", 0])
    return stock(**{"8": {"class_type": "SWF_TripleSampler", "inputs": inputs | changed}})


def pixels(server, graph) -> np.ndarray:
    (path,) = server.pictures(server.run(graph))
    return np.asarray(Image.open(path).convert("RGB")).astype(float) / 255


def test_every_node_is_there_and_every_input_and_output_explains_itself(server):
    nodes = {k: v for k, v in server.get("/object_info").items() if k.startswith("SWF_")}
    assert {"SWF_MiniLoader", "SWF_TripleSampler", "SWF_QueryPreservePatch", "SWF_Trajectory"} <= set(nodes)
    for name, info in nodes.items():
        assert info["category"] == "StyleWallfacer" and info["description"], name
        for group in (info["input"].get(kind, {}) for kind in ("required", "optional")):
            for key, spec in group.items():
                assert len(spec) > 1 and spec[1].get("tooltip"), (name, key)
        assert all(info["output_tooltips"]), name


def test_the_triple_sampler_repaints_the_content_after_the_style(server, pair):
    start = time.monotonic()
    result = pixels(server, triple())
    assert time.monotonic() - start < 60
    assert result.shape == (128, 128, 3)
    content, style = (getattr(pair, n).permute(1, 2, 0).numpy() for n in ("content", "style"))
    # tones come from the style, the drawing from the content
    assert abs(result.mean((0, 1)) - style.mean((0, 1))).sum() < abs(content.mean((0, 1)) - style.mean((0, 1))).sum()
    assert np.abs(result - content).mean() > 0.02


def test_without_style_strength_the_styles_tones_still_come(server, pair):
    plain, toned = (pixels(server, triple(style_strength=0.0, colour_from_style=c)) for c in (0.0, 1.0))
    style = pair.style.permute(1, 2, 0).numpy().mean((0, 1))
    assert np.abs(toned.mean((0, 1)) - style).sum() < np.abs(plain.mean((0, 1)) - style).sum() - 0.02


def test_an_old_prompts_colour_from_style_counts_typed_and_linked(server, pair):
    low, high = (pixels(server, triple(style_strength=0.0, colour_from_style=c)) for c in (0.0, 1.0))
    linked = triple(style_strength=0.0, colour_from_style=["20", 0])
    linked["20"] = {"class_type": "PrimitiveFloat", "inputs": {"value": 1.0}}
    assert (pixels(server, linked) == high).all() and not (high == low).all()


def test_the_page_shows_color_from_style_for_the_old_id(server):
    info = server.get("/object_info/SWF_TripleSampler")["SWF_TripleSampler"]
    _, options = info["input"]["required"]["colour_from_style"]
    assert options.get("display_name", "color_from_style") == "color_from_style"
    names = server.get("/i18n")
    for language, shown in (("en", "color_from_style"), ("zh", "取自风格的色调")):
        assert names[language]["nodeDefs"]["SWF_TripleSampler"]["inputs"]["colour_from_style"]["name"] == shown


def test_the_patch_works_under_a_stock_sampler(server, pair):
    patch = patch_inputs(model=["1", 0], style=["6", 0], content=["5", 0], reference_text=["2", 0])
    sampler = {
        "model": ["7", 0],
        "positive": ["2", 0],
        "negative": ["2", 0],
        "latent_image": ["5", 0],
        "seed": 3,
        "steps": 6,
        "cfg": 1.0,
        "sampler_name": "euler",
        "scheduler": "normal",
        "denoise": 0.8,
    }

    def graph(**changed):
        return stock(
            **{
                "7": {"class_type": "SWF_QueryPreservePatch", "inputs": patch | changed},
                "8": {"class_type": "KSampler", "inputs": sampler},
            }
        )

    full = pixels(server, graph())
    plain = stock(**{"8": {"class_type": "KSampler", "inputs": sampler | {"model": ["1", 0]}}})
    before = pixels(server, plain)
    assert np.abs(full - before).mean() > 0.01
    assert (pixels(server, graph(strength=0.0)) == before).all()
    history = server.run(graph(layers="up.9"))
    assert "up.9" in error_of(history) and "up.0.0" in error_of(history)


def test_a_sampler_starts_from_the_inverted_content(server, pair):
    trajectory = {
        "model": ["1", 0],
        "text": ["2", 0],
        "picture": ["5", 0],
        "steps": 10,
        "scheduler": "normal",
        "denoise": 1.0,
        "encoding": "ddim",
        "refinements": 2,
        "forward_first": 0,
        "seed": 0,
    }
    sampler = {
        "model": ["1", 0],
        "add_noise": "disable",
        "noise_seed": 0,
        "steps": 10,
        "cfg": 1.0,
        "sampler_name": "euler",
        "scheduler": "normal",
        "positive": ["2", 0],
        "negative": ["2", 0],
        "latent_image": ["7", 1],
        "start_at_step": 0,
        "end_at_step": 10,
        "return_with_leftover_noise": "disable",
    }
    graph = stock(
        **{
            "7": {"class_type": "SWF_Trajectory", "inputs": trajectory},
            "8": {"class_type": "KSamplerAdvanced", "inputs": sampler},
        }
    )
    again = pixels(server, graph)
    content = pair.content.permute(1, 2, 0).numpy()
    assert np.abs(again - content).mean() < 0.05  # the content, but for the autoencoder and the inversion's error
