"""Run by ComfyUI's Python in its folder: ASKED ANSWERS, both safetensors. A transfer as the nodes do it.

ASKED holds clean latents `content` and `style` [1,4,h,w] and the falling `sigmas`; its metadata "options" is a JSON
object of the injection's values, with "cfg", "prompt" and "adain" beside them, and "color" where colors are edited
(the values of `nodes.host.color.Asked`). The model is mini; or, with "family" in
the metadata, one of random_unets.py with the tensors `unet.*`, and `tokens` and `pooled` are its text. ANSWERS gets
`latents`, and `calls`, the number of latents that the network saw.
"""

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
import torch  # noqa: E402
from safetensors import safe_open  # noqa: E402
from safetensors.torch import save_file  # noqa: E402

from support.pack import pack  # noqa: E402
from support.random_unets import host_model  # noqa: E402

asked, answers = sys.argv[1:]
with safe_open(asked, "pt") as file:
    content, style, sigmas = (file.get_tensor(n) for n in ("content", "style", "sigmas"))
    options, family = json.loads(file.metadata()["options"]), file.metadata().get("family")
    if family:
        weights = {k.removeprefix("unet."): file.get_tensor(k) for k in file.keys() if k.startswith("unet.")}
        text = [[file.get_tensor("tokens"), {"pooled_output": file.get_tensor("pooled")}]]
cfg, prompt, adain, asked_colors = (options.pop(n, None) for n in ("cfg", "prompt", "adain", "color"))
mini, patch, reference = (pack(f"nodes.host.{n}") for n in ("native_mini", "transfer.patch", "transfer.reference"))
Injection, Text = pack("swf_core.transfer.injection").Injection, pack("nodes.host.transfer.denoiser").Text
rows = []
with torch.inference_mode():
    if family:
        model, empty, wanted = host_model(family, weights), text, text
    else:
        model, clip = mini.load_model(), mini.load_clip()
        empty, wanted = (clip.encode_from_tokens_scheduled(clip.tokenize(t)) for t in ("", prompt))
    model.model.diffusion_model.register_forward_pre_hook(lambda _, inputs: rows.append(inputs[0].shape[0]))

    def make(layers, channels):
        return patch.Transfer(
            Injection(**options),
            layers,
            (patch.StyleSource(reference.Source(latents=style)),),
            reference.Source(latents=content),
            Text(empty),
            start_adain=adain,
        )

    patched = patch.apply(model, options["layers"], make)
    if asked_colors:
        color = pack("nodes.host.color")
        written = asked_colors.pop("palette")
        palette = pack("swf_core.color.palette_text").read_palette(written) if written else None
        wanted_colors = color.Asked(palette=palette, reference=None, mask=None, **asked_colors)
        patched = color.guided_model(patched, clip, mini.load_vae(), wanted_colors, 0.0, 1.0)
    result = comfy.sample.sample_custom(
        patched,
        torch.zeros_like(content),
        cfg,
        comfy.samplers.sampler_object("euler"),
        sigmas,
        wanted,
        empty,
        content,
        disable_pbar=True,
    )
save_file({"latents": result.float().contiguous(), "calls": torch.tensor([sum(rows)])}, answers)
