"""Run by ComfyUI's Python in its folder: WEIGHTS PICTURES RESULT, all safetensors; fp32 on the CPU.

Pictures [B,H,W,3] in 0..1 go through the stock VAE exactly as the nodes VAEEncode and VAEDecode send them.
"""

import os
import sys

sys.path.insert(0, os.getcwd())

import comfy.cli_args

comfy.cli_args.args.cpu = True  # before anything asks for a device

import comfy.sd  # noqa: E402
import comfy.utils  # noqa: E402
import torch  # noqa: E402
from safetensors.torch import load_file, save_file  # noqa: E402

weights, pictures, result = sys.argv[1:]
with torch.inference_mode():
    vae = comfy.sd.VAE(sd=comfy.utils.load_torch_file(weights, safe_load=True), dtype=torch.float32)
    vae.throw_exception_if_invalid()
    latents = vae.encode(load_file(pictures)["pictures"])
    decoded = vae.decode(latents)
save_file({"latents": latents.contiguous().float(), "decoded": decoded.contiguous().float()}, result)
