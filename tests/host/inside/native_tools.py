"""What the scripts that test the patch inside ComfyUI share: mini's MODEL, drawn latents, a short sampling, a LoRA.

Import it only in ComfyUI's Python, in its folder.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, os.getcwd())
sys.path.insert(1, str(Path(__file__).resolve().parents[2]))  # for `support`

import comfy.cli_args

comfy.cli_args.args.cpu = True  # before anything asks for a device

import comfy.sample  # noqa: E402
import comfy.samplers  # noqa: E402
import comfy.sd  # noqa: E402
import torch  # noqa: E402

from support.pack import pack  # noqa: E402

mini, patch, reference = (pack(f"nodes.host.{n}") for n in ("native_mini", "transfer.patch", "transfer.reference"))
Injection, Text = pack("swf_core.transfer.injection").Injection, pack("nodes.host.transfer.denoiser").Text
seen = []  # rows of every call of the network


def draw(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def style_source(latents, encoding=None, weight=1.0, place=None):
    how = encoding or reference.Encoding("stochastic")
    return patch.StyleSource(reference.Source(latents=latents, encoding=how), weight, place=place)


def patched(model, style, content, place=None, text=None, precision="fp32", encoding=None, **options):
    options = {"layers": "all", "gamma": 0.5, "tau": 1.5} | options
    own = ("style_guidance", "leak_guard", "start_adain", "content_model", "kept")
    more = {"kept": None} | {k: options.pop(k) for k in own if k in options}
    how = encoding or reference.Encoding("stochastic")

    def make(layers, channels):
        given = style if isinstance(style, tuple) else (style_source(style, how),)
        return patch.Transfer(
            Injection(**options),
            layers,
            given,
            reference.Source(latents=content, encoding=how),
            text or Text(empty),
            place,
            precision=precision,
            **more,
        )

    return patch.apply(model, options["layers"], make)


def sample(model, sampler="euler", cfg=1.0, batch=1, size=(12, 16), positive=None, mask=None, steps=3, denoise=1.0):
    seen.clear()
    latent = draw(batch, 4, *size, seed=5) * 0.5
    return comfy.sample.sample(
        model,
        draw(batch, 4, *size, seed=6),
        steps,
        cfg,
        sampler,
        "normal",
        positive or red,
        empty,
        latent,
        denoise=denoise,
        noise_mask=mask,
        disable_pbar=True,
        seed=7,
    )


def apart(a, b):
    assert torch.isfinite(a).all() and torch.isfinite(b).all()
    return float((a - b).abs().max())


def sentences(makers):
    """What each of these says when it is refused."""
    told = {}
    for name, made in makers.items():
        try:
            made()
            told[name] = "nothing was said"
        except ValueError as error:
            told[name] = str(error)
    return told


def lora(model, strength=0.7):
    """A LoRA on every attention, loaded as the stock node does."""
    weights = {}
    for name, value in model.model.diffusion_model.state_dict().items():
        if name.endswith(("attn1.to_q.weight", "attn1.to_v.weight", "attn2.to_k.weight")):
            key = f"diffusion_model.{name.removesuffix('.weight')}"
            weights[f"{key}.lora_up.weight"] = draw(value.shape[0], 2, seed=len(weights)) * 0.1
            weights[f"{key}.lora_down.weight"] = draw(2, value.shape[1], seed=len(weights)) * 0.1
    return comfy.sd.load_lora_for_models(model, None, weights, strength, 0.0)[0]


with torch.inference_mode():
    model, clip = mini.load_model(), mini.load_clip()
    empty, red = (clip.encode_from_tokens_scheduled(clip.tokenize(t)) for t in ("", "a red house"))
    model.model.diffusion_model.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].shape[0]))
