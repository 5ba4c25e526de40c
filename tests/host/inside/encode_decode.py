"""Run by ComfyUI's Python in its folder: WEIGHTS PICTURES RESULT, all safetensors; fp32 on the CPU.

Pictures [B,H,W,3] in 0..1 go through the stock VAE exactly as the nodes VAEEncode and VAEDecode send them, and through
the one that SWF_MiniLoader gives, whose weights as VAESave would write them are beside (`saved.NAME`).
"""

import os
import sys
from pathlib import Path

sys.path.insert(0, os.getcwd())
sys.path.insert(1, str(Path(__file__).resolve().parents[2]))  # for `support`

import comfy.cli_args

comfy.cli_args.args.cpu = True  # before anything asks for a device

import comfy.sd  # noqa: E402
import comfy.utils  # noqa: E402
import torch  # noqa: E402
from safetensors.torch import load_file, save_file  # noqa: E402

from support.pack import pack  # noqa: E402

weights, pictures, result = sys.argv[1:]
with torch.inference_mode():
    vae = comfy.sd.VAE(sd=comfy.utils.load_torch_file(weights, safe_load=True), dtype=torch.float32)
    vae.throw_exception_if_invalid()
    latents = vae.encode(load_file(pictures)["pictures"])
    outputs = {"latents": latents, "decoded": vae.decode(latents)}
    mini = pack("nodes.host.native_mini").load_vae()
    outputs |= {"mini_latents": mini.encode(load_file(pictures)["pictures"]), "mini_decoded": mini.decode(latents)}
    outputs |= {f"saved.{name}": value.clone() for name, value in mini.get_sd().items()}
save_file({name: value.contiguous().float() for name, value in outputs.items()}, result)
