"""Run by ComfyUI's Python in its folder: REQUEST RESULT, both safetensors. A transfer as the nodes do it.

REQUEST holds clean latents `content` and `style` [1,4,h,w] and the falling `sigmas`; its metadata "options" is a JSON
object of the injection's values, with "cfg", "cfg_detail", "style_guidance", "prompt" and "adain" beside them, "layout"
(the values of `Layout`) where it guides from noise, "color" where colors are edited, and "first" where they are before
the transfer (the values of `nodes.host.color.ColorEditOptions`); or of "preset", "freedom" and "steps", for a new
Triple Diffusion Sampler with the scheduler whose levels the command line has. The model is mini; or, with "family" in
the metadata, one of random_unets.py with the tensors `unet.*`, and `tokens` and `pooled` are its text. RESULT gets
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

request, result_path = sys.argv[1:]
with safe_open(request, "pt") as file:
    content, style, sigmas = (file.get_tensor(n) for n in ("content", "style", "sigmas"))
    options, family = json.loads(file.metadata()["options"]), file.metadata().get("family")
    if family:
        weights = {k.removeprefix("unet."): file.get_tensor(k) for k in file.keys() if k.startswith("unet.")}
        text = [[file.get_tensor("tokens"), {"pooled_output": file.get_tensor("pooled")}]]
cfg, prompt, adain, color_edit = (options.pop(n, None) for n in ("cfg", "prompt", "adain", "color"))
layout, color_first = options.pop("layout", None), options.pop("first", False)
beside = {name: options.pop(name) for name in ("cfg_detail", "style_guidance") if name in options}
preset = options.pop("preset", None)
mini, patch, plan = (pack(f"nodes.host.{n}") for n in ("native_mini", "transfer.patch", "transfer.plan"))
Injection = pack("swf_core.transfer.injection").Injection
Layout = pack("swf_core.transfer.layout_guidance").Layout
PlainConditioning = pack("nodes.host.transfer.denoiser").PlainConditioning
rows = []
with torch.inference_mode():
    if family:
        model, empty, positive = host_model(family, weights), text, text
    else:
        model, clip = mini.load_model(), mini.load_clip()
        empty, positive = (clip.encode_from_tokens_scheduled(clip.tokenize(t)) for t in ("", prompt or ""))
    model.model.diffusion_model.register_forward_pre_hook(lambda _, inputs: rows.append(inputs[0].shape[0]))

    def make_plan(layers, channels):
        return plan.TransferPlan(
            Injection(**options),
            layers,
            (plan.StyleSource(plan.LatentSource(style)),),
            plan.LatentSource(content),
            PlainConditioning(empty),
            start_adain=adain,
            **beside,
            **({"renoise": 1.0, "layout": Layout(**layout), "layout_adain": adain} if layout else {}),
        )

    def colored(model):
        if not color_edit:
            return model
        color = pack("nodes.host.color")
        codes = color_edit.pop("palette")
        palette = pack("swf_core.color.palette_text").read_palette(codes) if codes else None
        edit = color.ColorEditOptions(palette=palette, reference=None, mask=None, **color_edit)
        return color.guided_model(model, clip, mini.load_vae(), edit, 0.0, 1.0)

    if preset:
        node = pack("nodes.triple_sampler").TripleSampler
        dials = {i.id: i.default for i in node.define_schema().inputs if getattr(i, "default", None) is not None}
        dials |= {"model": model, "content": {"samples": content}, "style": {"samples": style}, "preset": preset}
        result = node.execute(**dials | options | {"scheduler": "ddim_uniform"}).result[0]["samples"]
        save_file({"latents": result.float().contiguous(), "calls": torch.tensor([sum(rows)])}, result_path)
        sys.exit()
    patched = patch.apply(colored(model) if color_first else model, options["layers"], make_plan)
    patched = patched if color_first else colored(patched)
    result = comfy.sample.sample_custom(
        patched,
        torch.zeros_like(content),
        cfg,
        comfy.samplers.sampler_object("euler"),
        sigmas,
        positive,
        empty,
        content,
        disable_pbar=True,
    )
save_file({"latents": result.float().contiguous(), "calls": torch.tensor([sum(rows)])}, result_path)
