"""Run by ComfyUI's Python in its folder: ASKED ANSWERS, both safetensors. A transfer on mini, as the nodes do it.

ASKED holds clean latents `content` and `style` [1,4,h,w] and the falling `sigmas`; its metadata "options" is a JSON
object of the injection's values, with "cfg", "prompt" and "adain" beside them. ANSWERS gets `latents`, and `calls`, the
number of latents that the network saw.
"""

import json
import os
import sys

sys.path.insert(0, os.getcwd())

import comfy.cli_args

comfy.cli_args.args.cpu = True  # before anything asks for a device

import comfy.sample  # noqa: E402
import comfy.samplers  # noqa: E402
import torch  # noqa: E402
from safetensors import safe_open  # noqa: E402
from safetensors.torch import save_file  # noqa: E402

from pack import pack  # noqa: E402

asked, answers = sys.argv[1:]
with safe_open(asked, "pt") as file:
    content, style, sigmas = (file.get_tensor(n) for n in ("content", "style", "sigmas"))
    options = json.loads(file.metadata()["options"])
cfg, prompt, adain = (options.pop(n) for n in ("cfg", "prompt", "adain"))
mini, patch, reference = (pack(f"nodes.host.{n}") for n in ("native_mini", "patch", "reference"))
Injection, Text = pack("swf_core.transfer.injection").Injection, pack("nodes.host.denoiser").Text
rows = []
with torch.inference_mode():
    model, clip = mini.load_model(), mini.load_clip()
    model.model.diffusion_model.register_forward_pre_hook(lambda _, inputs: rows.append(inputs[0].shape[0]))
    empty, wanted = (clip.encode_from_tokens_scheduled(clip.tokenize(t)) for t in ("", prompt))

    def make(layers, channels):
        return patch.Transfer(
            Injection(**options), layers, (patch.StyleSource(reference.Source(latents=style)),),
            reference.Source(latents=content), Text(empty), start_adain=adain,
        )  # fmt: skip

    patched = patch.apply(model, options["layers"], make)
    result = comfy.sample.sample_custom(
        patched, torch.zeros_like(content), cfg, comfy.samplers.sampler_object("euler"), sigmas, wanted, empty, content,
        disable_pbar=True,
    )  # fmt: skip
save_file({"latents": result.float().contiguous(), "calls": torch.tensor([sum(rows)])}, answers)
