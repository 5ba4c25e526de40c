"""What the scripts that test the patch inside ComfyUI share: mini's MODEL, drawn latents, a short sampling, a LoRA,
the report.

Import it only in ComfyUI's Python, in its folder.
"""

from __future__ import annotations

import json
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

mini, patch, plan = (pack(f"nodes.host.{n}") for n in ("native_mini", "transfer.patch", "transfer.plan"))
Injection, Encoding = pack("swf_core.transfer.injection").Injection, pack("swf_core.transfer.trajectory").Encoding
PlainConditioning = pack("nodes.host.transfer.denoiser").PlainConditioning
FeatureStore, STORE = (getattr(pack("nodes.host.transfer.feature_store"), n) for n in ("FeatureStore", "STORE"))
rows_of_calls = []  # how many latents each call of the network had
report = {}  # of the running script: what each case measured


def draw(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def style_source(latents, encoding=None, weight=1.0, place=None):
    source = plan.LatentSource(latents, encoding or Encoding("stochastic"))
    return plan.StyleSource(source, weight, place=place)


def patched(model, style, content, place=None, text=None, precision="fp32", encoding=None, **options):
    options = {"layers": "all", "gamma": 0.5, "tau": 1.5} | options
    fields = ("style_guidance", "leak_guard", "start_adain", "content_model", "store", "positions")
    more = {"store": None} | {k: options.pop(k) for k in fields if k in options}
    encoding = encoding or Encoding("stochastic")

    def make_plan(layers, channels):
        return plan.TransferPlan(
            Injection(**options),
            layers,
            style if isinstance(style, tuple) else (style_source(style, encoding),),
            plan.LatentSource(content, encoding),
            text or PlainConditioning(empty),
            place,
            precision=precision,
            **more,
        )

    return patch.apply(model, options["layers"], make_plan)


def sample(model, sampler="euler", cfg=1.0, batch=1, size=(12, 16), positive=None, steps=3, **more):
    rows_of_calls.clear()
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
        disable_pbar=True,
        seed=7,
        **more,
    )


def fresh(node):
    """The widgets of a node as they are when it is new."""
    inputs = node.define_schema().inputs
    return {i.id: i.default for i in inputs if getattr(i, "default", None) is not None}


def repainted(content, style, **inputs):
    """The LATENT of a new Triple Diffusion Sampler with these latents or pictures; `inputs` change it."""
    return triple(content, style, **inputs).result[0]


def triple(content, style, **inputs):
    """What a new Triple Diffusion Sampler returns."""
    pictures = {name: _as_latent(x) for name, x in (("content", content), ("style", style))}
    node = pack("nodes.triple_sampler").TripleSampler
    return node.execute(**fresh(node) | {"model": model} | pictures | inputs)


def _as_latent(x):
    return {"samples": x} if isinstance(x, torch.Tensor) and x.shape[1] == 4 else x


def apart(a, b):
    assert torch.isfinite(a).all() and torch.isfinite(b).all()
    return float((a - b).abs().max())


def error_messages(actions):
    """The message with which each of these is refused."""
    messages = {}
    for name, action in actions.items():
        try:
            action()
            messages[name] = "it was not refused"
        except ValueError as error:
            messages[name] = str(error)
    return messages


def write_report():
    """The report as JSON, into the file that the script was given."""
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        json.dump(report, file, indent=1)


def lora_weights(model):
    """A LoRA on every attention, as a file of it would hold."""
    weights = {}
    for name, value in model.model.diffusion_model.state_dict().items():
        if name.endswith(("attn1.to_q.weight", "attn1.to_v.weight", "attn2.to_k.weight")):
            key = f"diffusion_model.{name.removesuffix('.weight')}"
            weights[f"{key}.lora_up.weight"] = draw(value.shape[0], 2, seed=len(weights)) * 0.1
            weights[f"{key}.lora_down.weight"] = draw(2, value.shape[1], seed=len(weights)) * 0.1
    return weights


def lora(model, strength=0.7):
    """The LoRA loaded as the stock node does."""
    return comfy.sd.load_lora_for_models(model, None, lora_weights(model), strength, 0.0)[0]


with torch.inference_mode():
    model, clip = mini.load_model(), mini.load_clip()
    empty, red = (clip.encode_from_tokens_scheduled(clip.tokenize(t)) for t in ("", "a red house"))
    model.model.diffusion_model.register_forward_pre_hook(lambda _, inputs: rows_of_calls.append(inputs[0].shape[0]))
