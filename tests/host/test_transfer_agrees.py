"""The transfer in ComfyUI gives what the command line gives: same weights, same noise levels, same formula."""

from __future__ import annotations

import json

import pytest
import torch

from swf_core.measure.metrics.pairs import make_pairs
from swf_core.models.contracts import Backend, Conditioning
from swf_core.transfer import PRESETS, Content, TransferOptions, preset, stylize
from swf_core.transfer.injection import Injection
from swf_core.transfer.layout_guidance import Layout
from swf_core.transfer.presets import FAST, FAST_STEPS
from swf_core.transfer.sigmas import schedule

from support.comfy_host import INSIDE
from support.random_unets import FAMILIES, POOLED_WIDTH, TOKEN_WIDTH, diffusers_unet

CASES = {
    "plain": {},
    "cfg": {"cfg": 3.0, "prompt": "a woodcut of a red house"},
    "held to detail": {"cfg": 3.0, "prompt": "a woodcut of a red house", "cfg_detail": 0.8},
    "held to detail, style guidance": {"cfg": 2.0, "prompt": "a woodcut", "cfg_detail": 1.0, "style_guidance": 0.5},
    "schedule, strength": {"gamma_end": 0.2, "gamma_schedule": "cosine", "strength": 0.6},
    "concat": {"kv": "concat", "bias": 1.0, "layers": "late"},
    "query statistics": {"query_adain": 1.0, "gamma": 0.2},
}


def stylized_in_comfyui(host, folder, tensors, metadata):
    """`latents` and `calls` of stylize_native.py."""
    from safetensors.torch import load_file, save_file

    request, result = folder / "request.safetensors", folder / "result.safetensors"
    save_file({k: v.contiguous() for k, v in tensors.items()}, request, metadata)
    run = host.run(INSIDE / "stylize_native.py", request, result)
    assert run.returncode == 0, run.stdout
    return load_file(result)


@pytest.mark.parametrize("case", CASES)
def test_node_and_command_line_agree(host, tmp_path, case):
    pytest.importorskip("diffusers")
    from swf_core.models import load

    values = {"layers": "all", "gamma": 0.5, "tau": 2.0} | CASES[case]
    cfg, prompt = values.pop("cfg", 1.0), values.pop("prompt", "")
    beside = {name: values.pop(name) for name in ("cfg_detail", "style_guidance") if name in values}
    backend = load("mini")
    pair = make_pairs(3, 12_345_700)[2]
    content, style = pair.content[:, :96], pair.style  # not square, and of another size
    options = TransferOptions(Injection(**values), steps=6, cfg=cfg, size_px=0, adain=0.7, **beside)
    ours = stylize(backend, [Content(content, prompt)], [style], options)

    with torch.no_grad():
        latents = {name: backend.codec.encode(p[None]) for name, p in (("content", content), ("style", style))}
    sigmas = torch.tensor([*schedule(backend.denoiser.sigmas, 6), 0.0], dtype=torch.float32)
    metadata = {"options": json.dumps(values | beside | {"cfg": cfg, "prompt": prompt, "adain": 0.7})}
    theirs = stylized_in_comfyui(host, tmp_path, latents | {"sigmas": sigmas}, metadata)
    assert (theirs["latents"][0] - ours.latents[0]).abs().max() < 1e-3
    # Two inversions of 6, then 6 steps of content, style and generation, the last twice with guidance.
    generation = (1 if cfg == 1.0 else 2) * (2 if "style_guidance" in beside else 1)
    assert int(theirs["calls"]) == 12 + 6 * (2 + generation)


@pytest.mark.parametrize("name", PRESETS)
def test_the_samplers_presets_are_the_command_lines(host, tmp_path, name):
    pytest.importorskip("diffusers")
    from swf_core.models import load

    backend = load("mini")
    pair = make_pairs(3, 12_345_700)[2]
    content, style = pair.content[:, :96], pair.style
    options = preset(name, backend).changed(size_px=0)
    # numbers that the schedule's levels divide evenly into; StyleID's is its own
    steps = 50 if options.spacing == "styleid" or options.denoise < 1.0 else 10
    steps = FAST_STEPS if name == FAST else steps  # its own, whatever the widget says
    ours = stylize(backend, [content], [style], options.changed(steps=steps))
    with torch.no_grad():
        tensors = {key: backend.codec.encode(p[None]) for key, p in (("content", content), ("style", style))}
    tensors |= {"sigmas": torch.zeros(1)}
    asked = round(options.denoise * steps)  # the host counts the steps that are run
    theirs = stylized_in_comfyui(host, tmp_path, tensors, {"options": json.dumps({"preset": name, "steps": asked})})
    assert (theirs["latents"][0] - ours.latents[0]).abs().max() < 1e-3


def test_the_samplers_dial_is_the_command_lines(host, tmp_path):
    pytest.importorskip("diffusers")
    from swf_core.models import load

    backend = load("mini")
    pair = make_pairs(3, 12_345_700)[2]
    content, style = pair.content[:, :96], pair.style
    ours = stylize(backend, [content], [style], preset("faithful", backend, 0.6).changed(size_px=0, steps=10))
    with torch.no_grad():
        tensors = {key: backend.codec.encode(p[None]) for key, p in (("content", content), ("style", style))}
    options = {"preset": "faithful", "freedom": 0.6, "steps": 10}
    tensors |= {"sigmas": torch.zeros(1)}
    theirs = stylized_in_comfyui(host, tmp_path, tensors, {"options": json.dumps(options)})
    assert (theirs["latents"][0] - ours.latents[0]).abs().max() < 1e-3


@pytest.mark.parametrize("colored", [False, True])
def test_layout_guidance_agrees_and_colors_have_the_last_word(host, tmp_path, colored):
    """Color Edit stands before the transfer in the graph, and after it in what is done to x0."""
    pytest.importorskip("diffusers")
    from swf_core.color.axes import Axes
    from swf_core.color.guidance import ColorGuidance
    from swf_core.color.palette_text import read_palette
    from swf_core.models import load

    backend, values = load("mini"), {"layers": "all", "gamma": 0.0, "tau": 1.5}
    layout = {"weight": 0.8, "cut": 3.0, "end": 0.7}
    pair = make_pairs(3, 12_345_700)[2]
    content, style, prompt = pair.content[:, :96], pair.style, "a woodcut of a red house"
    codes, more = "#a63f1b, #1d3557, #e9c46a", {"words_strength": 2.0, "focus": 0.4, "method": "linear"}
    axes = Axes.of(backend.codec)
    steering = ColorGuidance(palette=read_palette(codes)[1], axes=axes, lightness=0.0) if colored else None
    options = TransferOptions(Injection(**values), steps=6, cfg=2.0, size_px=0, adain=0.7, renoise=1.0)
    options = options.changed(layout=Layout(**layout))
    ours = stylize(backend, [Content(content, prompt)], [style], options, steering=steering)
    with torch.no_grad():
        latents = {name: backend.codec.encode(p[None]) for name, p in (("content", content), ("style", style))}
    sigmas = torch.tensor([*schedule(backend.denoiser.sigmas, 6), 0.0], dtype=torch.float32)
    asked = values | {"cfg": 2.0, "prompt": prompt, "adain": 0.7, "layout": layout}
    if colored:
        more |= {"words": "", "palette": codes, "strength": 1.0, "lightness": 0.0}
        asked |= {"color": more, "first": True}
    theirs = stylized_in_comfyui(host, tmp_path, latents | {"sigmas": sigmas}, {"options": json.dumps(asked)})
    assert (theirs["latents"][0] - ours.latents[0]).abs().max() < 1e-3
    assert int(theirs["calls"]) == 6 + 6 * 3  # the style's inversion, then the style and both halves of generation


class FixedText:
    """The same tokens for every text, with SDXL's vector where the family has one."""

    def __init__(self, tokens, pooled, family):
        self.tokens, self.pooled, self.family = tokens, pooled, family

    def encode(self, texts, height_px, width_px):
        size = torch.tensor([[height_px, width_px, 0, 0, height_px, width_px]], dtype=torch.float32)
        sdxl = self.family == "sdxl"
        conditioning = Conditioning(self.tokens, self.pooled, size) if sdxl else Conditioning(self.tokens)
        return conditioning.repeat(len(texts))


class CellCodec:
    """Latents are the pictures' own cells: the test is about what lies between encoding and decoding."""

    downscale, channels = 8, 4

    def encode(self, pictures):
        cells = torch.nn.functional.avg_pool2d(pictures, 8) * 2 - 1
        return torch.cat([cells, cells.mean(1, keepdim=True)], 1)

    def decode(self, latents):
        return latents.new_zeros(len(latents), 3, *(8 * s for s in latents.shape[-2:]))


def random_backend(unet, family, tokens, pooled):
    """The core's backend on a random UNet in the shape of a family."""
    from swf_core.models.diffusers_backend import family_presets, sigmas_from_config
    from swf_core.models.unet_denoiser import UNetDenoiser

    denoiser = UNetDenoiser(unet, sigmas_from_config({}), "v_prediction" if FAMILIES[family][2] else "epsilon")
    name = {"sd15": "SD1.x", "sd2v": "SD2.x", "sdxl": "SDXL"}[family]
    presets = {"all": "all", **family_presets(name, denoiser.self_attention_layers)}
    return Backend(denoiser, FixedText(tokens, pooled, family), CellCodec(), family, 64, name, presets)


@pytest.mark.parametrize("family", ["sd15", "sd2v", "sdxl"])
@pytest.mark.parametrize("layers", ["all", "late"])
def test_they_agree_on_the_shapes_of_real_checkpoints(host, tmp_path, family, layers):
    pytest.importorskip("diffusers")
    generator = torch.Generator().manual_seed(1)
    tokens, pooled = (torch.randn(s, generator=generator) for s in ((1, 8, TOKEN_WIDTH), (1, POOLED_WIDTH)))
    unet = diffusers_unet(family)
    backend = random_backend(unet, family, tokens, pooled)
    content, style = (torch.rand(3, *s, generator=generator) for s in ((64, 96), (80, 64)))
    values = {"layers": layers, "gamma": 0.4, "tau": 1.5}
    options = TransferOptions(Injection(**values), steps=4, size_px=0, adain=1.0)
    with torch.no_grad():
        ours = stylize(backend, [content], [style], options)
        plain = stylize(backend, [content], [style], options.changed(strength=0.0))
    assert (ours.latents[0] - plain.latents[0]).abs().max() > 1e-2  # the style matters on this model

    tensors = {name: backend.codec.encode(p[None]) for name, p in (("content", content), ("style", style))}
    sigmas = torch.tensor([*schedule(backend.denoiser.sigmas, 4), 0.0], dtype=torch.float32)
    tensors |= {"tokens": tokens, "pooled": pooled, "sigmas": sigmas}
    tensors |= {f"unet.{k}": v for k, v in unet.state_dict().items()}
    options_json = json.dumps(values | {"cfg": 1.0, "prompt": "", "adain": 1.0})
    theirs = stylized_in_comfyui(host, tmp_path, tensors, {"options": options_json, "family": family})
    assert (theirs["latents"][0] - ours.latents[0]).abs().max() < 1e-3
