"""Color Edit in a running ComfyUI: on pictures, on models under stock and own samplers, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from swf_core.color.palette import extract, parse
from swf_core.color.transport import palette_distance
from swf_core.measure.metrics.pairs import make_pairs
from swf_core.pictures import load as load_picture

from support.comfy_host import INSIDE
from support.comfy_server import error_of, put_pictures

RED, BLUE = "a photo of a red house in the snow at noon", "a photo of a blue house in the snow at noon"
SEA = "#1d3557, #457b9d, #a8dadc, #f1faee, #e63946"


@pytest.fixture(scope="module", autouse=True)
def pictures(base):
    put_pictures(base, make_pairs(3, 12_345_600)[1], "color_")


def edit_node(**inputs: Any) -> dict[str, Any]:
    defaults = {
        "words": "",
        "words_strength": 3.0,
        "palette": "",
        "method": "linear",
        "strength": 1.0,
        "lightness": 0.0,
        "colors": 6,
        "start_percent": 0.45,
        "end_percent": 1.0,
        "focus": 0.4,
    }
    return {"class_type": "SWF_ColorEdit", "inputs": defaults | inputs}


def on_picture(**inputs: Any) -> dict[str, Any]:
    return {
        "1": {"class_type": "LoadImage", "inputs": {"image": "color_content.png"}},
        "2": {"class_type": "LoadImage", "inputs": {"image": "color_style.png"}},
        "3": edit_node(image=["1", 0], **inputs),
        "4": {"class_type": "SaveImage", "inputs": {"images": ["3", 1], "filename_prefix": "colored"}},
    }


def on_model(sampler: str = "euler", **inputs: Any) -> dict[str, Any]:
    sampling = {
        "model": ["5", 0],
        "positive": ["2", 0],
        "negative": ["3", 0],
        "latent_image": ["4", 0],
        "seed": 3,
        "steps": 10,
        "cfg": 3.0,
        "sampler_name": sampler,
        "scheduler": "normal",
        "denoise": 1.0,
    }
    return {
        "1": {"class_type": "SWF_MiniLoader", "inputs": {}},
        "2": {"class_type": "CLIPTextEncode", "inputs": {"text": RED, "clip": ["1", 1]}},
        "3": {"class_type": "CLIPTextEncode", "inputs": {"text": "", "clip": ["1", 1]}},
        "4": {"class_type": "EmptyLatentImage", "inputs": {"width": 128, "height": 128, "batch_size": 1}},
        "5": edit_node(model=["1", 0], **inputs),
        "6": {"class_type": "KSampler", "inputs": sampling},
        "7": {"class_type": "VAEDecode", "inputs": {"samples": ["6", 0], "vae": ["1", 2]}},
        "8": {"class_type": "SaveImage", "inputs": {"images": ["7", 0], "filename_prefix": "guided"}},
    }


def result(server, graph: dict[str, Any]) -> torch.Tensor:
    return load_picture(server.pictures(server.run(graph))[0]).pixels


def test_a_picture_takes_a_palette_and_shows_its_swatches(server, base):
    history = server.run(on_picture(palette=SEA, lightness=1.0))
    moved = load_picture(server.pictures(history)[0]).pixels
    before = load_picture(base / "input" / "color_content.png")
    (row,) = history["outputs"]["3"]["swf_panel"]
    assert row["kind"] == "palette" and row["target"] == SEA.split(", ") and len(row["colors"]) == 6
    assert abs(sum(each["share"] for each in row["colors"]) - 1.0) < 1e-3
    distances = [palette_distance(extract(p, 5), parse(SEA)) for p in (before.pixels, moved)]
    assert distances[1] < 0.5 * distances[0], distances
    codes = [each["color"] for each in row["colors"]]
    edited = server.run(on_picture(palette=f"{codes[0]} -> #804000, " + ", ".join(codes[1:])))
    (row,) = edited["outputs"]["3"]["swf_panel"]
    assert row["target"] == [] and [each["color"] for each in row["colors"]] == codes


def test_a_picture_takes_a_references_colors_and_strength_zero_is_itself(server, base):
    before = load_picture(base / "input" / "color_content.png").pixels
    assert torch.equal(result(server, on_picture(palette=SEA, strength=0.0)), before)
    for method in ("linear", "sliced", "luminance"):
        moved = result(server, on_picture(reference=["2", 0], method=method))
        assert moved.shape == before.shape and not torch.equal(moved, before)


def test_words_turn_the_house_under_any_sampler_and_zero_is_the_plain_model(server):
    for sampler in ("euler", "dpmpp_2m"):
        plain = result(server, on_model(sampler))
        off = result(server, on_model(sampler, words=BLUE, words_strength=0.0, clip=["1", 1]))
        assert torch.equal(off, plain)
        blue = result(server, on_model(sampler, words=BLUE, clip=["1", 1]))
        pair = result(server, on_model(sampler, words=f"{RED} -> {BLUE}", clip=["1", 1]))
        for picture in (blue, pair):
            turned = (picture - plain)[:, 60:100, 44:84].mean((1, 2))
            assert turned[0] < -0.05 and turned[2] > 0.05, turned
    assert torch.equal(result(server, on_model("dpmpp_2m", words=BLUE, clip=["1", 1])), blue)


def test_a_palette_guides_a_model(server):
    plain = result(server, on_model())
    guided = result(server, on_model(palette=SEA, lightness=1.0, vae=["1", 2], start_percent=0.0))
    distances = [palette_distance(extract(p, 6), parse(SEA)) for p in (plain, guided)]
    assert distances[1] < 0.85 * distances[0], distances


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        (on_model(words=BLUE), "need 'clip'"),
        (on_model(palette=SEA), "needs 'vae'"),
        (on_picture(words=BLUE), "connect 'model'"),
        (on_picture(palette="#12345"), "'#12345' is no color"),
        (on_picture(palette=SEA, reference=["2", 0]), "Both a reference and a palette"),
        (on_picture(palette="navy -> "), "one side of the arrow"),
    ],
    ids=["clip", "vae", "model", "hex", "both", "arrow"],
)
def test_what_cannot_work_is_refused_with_its_reason(server, graph, message):
    assert message in error_of(server.run(graph))


def test_what_hangs_on_an_output_that_was_not_made_does_not_run(server):
    graph = on_picture(palette=SEA)
    graph |= {k: v for k, v in on_model().items() if k not in ("1", "5")}
    graph["9"] = {"class_type": "SWF_MiniLoader", "inputs": {}}
    for number in ("2", "3"):
        graph[number + "0"] = {"class_type": "CLIPTextEncode", "inputs": {"text": "", "clip": ["9", 1]}}
    graph["2"] = {"class_type": "LoadImage", "inputs": {"image": "color_style.png"}}
    graph["3"] = edit_node(image=["1", 0], palette=SEA)
    graph["6"]["inputs"] |= {"model": ["3", 0], "positive": ["20", 0], "negative": ["30", 0]}
    graph["4"] = {"class_type": "EmptyLatentImage", "inputs": {"width": 128, "height": 128, "batch_size": 1}}
    graph["7"]["inputs"]["vae"] = ["9", 2]
    history = server.run(graph)  # the page gets the reason
    assert "3" in history["outputs"] and "8" not in history["outputs"]


@pytest.mark.parametrize(
    "colors", [{"words": BLUE, "palette": ""}, {"words": "", "palette": SEA}], ids=["words", "palette"]
)
def test_node_and_command_line_agree_with_a_style_on_top(host, tmp_path, colors):
    pytest.importorskip("diffusers")
    import json

    from safetensors.torch import load_file, save_file

    from swf_core.color.axes import Axes
    from swf_core.color.concepts import parse_concepts
    from swf_core.color.guidance import ColorGuidance
    from swf_core.models import load
    from swf_core.transfer import Content, TransferOptions, stylize
    from swf_core.transfer.injection import Injection
    from swf_core.transfer.sigmas import schedule

    backend, values = load("mini"), {"layers": "all", "gamma": 0.5, "tau": 2.0}
    pair = make_pairs(3, 12_345_700)[2]
    palette = {"palette": parse(colors["palette"]), "axes": Axes.of(backend.codec)} if colors["palette"] else {}
    steering = ColorGuidance(tuple(parse_concepts(colors["words"], 2.0, 0.4)), **palette)
    options = TransferOptions(Injection(**values), steps=6, cfg=2.0, size_px=0, adain=0.7)
    ours = stylize(backend, [Content(pair.content, RED)], [pair.style], options, steering=steering)
    with torch.no_grad():
        latents = {n: backend.codec.encode(getattr(pair, n)[None]).contiguous() for n in ("content", "style")}
    sigmas = torch.tensor([*schedule(backend.denoiser.sigmas, 6), 0.0], dtype=torch.float32)
    request, result_path = tmp_path / "request.safetensors", tmp_path / "result.safetensors"
    more = {"words_strength": 2.0, "focus": 0.4, "method": "linear", "strength": 1.0, "lightness": 0.0}
    metadata = {"options": json.dumps(values | {"cfg": 2.0, "prompt": RED, "adain": 0.7, "color": colors | more})}
    save_file(latents | {"sigmas": sigmas}, request, metadata)
    run = host.run(INSIDE / "stylize_native.py", request, result_path)
    assert run.returncode == 0, run.stdout
    theirs = load_file(result_path)
    assert (theirs["latents"][0] - ours.latents[0]).abs().max() < 1e-3
    # Two inversions of 6; 6 steps of content, style and both halves of generation; one row more for the words.
    assert int(theirs["calls"]) == 12 + 6 * 4 + 6 * bool(colors["words"])
