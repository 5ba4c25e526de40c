"""A diffusion transformer of ComfyUI's own class on the weights that a test hands over, under diffusers' names.

Arguments: the request, a safetensors file of "net.<name>", x, t, tokens and pooled, with ComfyUI's class and shape in
its metadata, and where to write x0. Run by ComfyUI's Python, in its folder.
"""

from __future__ import annotations

import json
import os
import re
import sys

sys.path.insert(0, os.getcwd())

import comfy.cli_args

comfy.cli_args.args.cpu = True  # before anything asks for a device

import comfy.supported_models  # noqa: E402
import torch  # noqa: E402
from comfy.model_detection import convert_diffusers_mmdit  # noqa: E402
from safetensors import safe_open  # noqa: E402
from safetensors.torch import load_file, save_file  # noqa: E402

# Lumina 2's parts by diffusers' names and ComfyUI's, for which ComfyUI has no table.
LUMINA2 = {
    r"^time_caption_embed\.timestep_embedder\.linear_1": "t_embedder.mlp.0",
    r"^time_caption_embed\.timestep_embedder\.linear_2": "t_embedder.mlp.2",
    r"^time_caption_embed\.caption_embedder": "cap_embedder",
    r"^norm_out\.linear_1": "final_layer.adaLN_modulation.1",
    r"^norm_out\.linear_2": "final_layer.linear",
    r"\.attn\.to_out\.0": ".attention.out",
    r"\.attn\.norm_q": ".attention.q_norm",
    r"\.attn\.norm_k": ".attention.k_norm",
    r"\.feed_forward\.linear_": ".feed_forward.w",
    r"\.norm1\.linear": ".adaLN_modulation.1",
    r"\.norm1(\.norm)?\.weight": ".attention_norm1.weight",
    r"\.norm2\.weight": ".attention_norm2.weight",
}


def native_names(family: str, weights: dict) -> dict:
    """Weights under ComfyUI's names."""
    if family == "QwenImage":
        return weights
    if family != "Lumina2":
        return convert_diffusers_mmdit(weights)
    named = {}
    for name, weight in weights.items():
        front, _, part = name.partition(".attn.to_")
        if part in ("k.weight", "v.weight"):
            continue
        if part == "q.weight":
            three = [weights[f"{front}.attn.to_{each}.weight"] for each in "qkv"]
            named[f"{front}.attention.qkv.weight"] = torch.cat(three)
            continue
        for pattern, other in LUMINA2.items():
            name = re.sub(pattern, other, name)
        named[name] = weight
    return named


def main(request: str, result: str) -> None:
    tensors = load_file(request)
    with safe_open(request, "pt") as file:
        shape = json.loads(file.metadata()["shape"])
    family = shape.pop("class")
    config = getattr(comfy.supported_models, family)(shape)
    config.set_inference_dtype(torch.float32, None)
    model = config.get_model({}, device=torch.device("cpu"))
    weights = {name[4:]: x for name, x in tensors.items() if name.startswith("net.")}
    missing, unexpected = model.diffusion_model.load_state_dict(native_names(family, weights), strict=False)
    unread = {"norm_final.weight"} if family == "Lumina2" else set()  # which its class has and never runs
    assert set(missing) == unread and not unexpected, (missing, unexpected)
    x, rows = tensors["x"], len(tensors["x"])
    asked = {"c_crossattn": tensors["tokens"], "num_tokens": tensors["tokens"].shape[1]}
    if "pooled" in tensors:
        asked["y"] = tensors["pooled"]
    if shape.get("guidance_embed"):
        asked["guidance"] = torch.full((rows,), 3.5)
    if family == "QwenImage":
        x = x[:, :, None]  # one frame
    if family != "Lumina2":
        del asked["num_tokens"]
    with torch.no_grad():
        x0 = model.apply_model(x, tensors["t"].expand(rows), **asked)
    save_file({"x0": x0.reshape(tensors["x"].shape).contiguous()}, result)


main(*sys.argv[1:])
