"""Run by ComfyUI's Python in its folder: REQUEST RESULT, both safetensors. mini as MODEL and CLIP, fp32 on the CPU.

REQUEST holds x [B,4,h,w], sigma [1], and in its metadata "texts", a JSON list. RESULT gets x0 for each text and the
tokens of the text encoder.
"""

import json
import os
import sys
from pathlib import Path

sys.path.insert(0, os.getcwd())
sys.path.insert(1, str(Path(__file__).resolve().parents[2]))  # for `support`

import comfy.cli_args

comfy.cli_args.args.cpu = True  # before anything asks for a device

import comfy.model_management as mm  # noqa: E402
import comfy.samplers  # noqa: E402
import torch  # noqa: E402
from safetensors import safe_open  # noqa: E402
from safetensors.torch import save_file  # noqa: E402

from support.pack import pack  # noqa: E402

request, result_path = sys.argv[1:]
with safe_open(request, "pt") as file:
    x, sigma = file.get_tensor("x"), file.get_tensor("sigma")
    texts = json.loads(file.metadata()["texts"])
mini = pack("nodes.host.native_mini")
outputs = {}
with torch.inference_mode():
    model, clip = mini.load_model(), mini.load_clip()
    for i, text in enumerate(texts):
        cond = clip.encode_from_tokens_scheduled(clip.tokenize(text))
        outputs[f"tokens{i}"] = cond[0][0].float().contiguous()
        mm.load_models_gpu([model])
        model.pre_run()
        conds = {"positive": comfy.sampler_helpers.convert_cond(cond)}
        conds = comfy.samplers.process_conds(model.model, x, conds, x.device)
        (x0,) = comfy.samplers.calc_cond_batch(
            model.model, [conds["positive"]], x, sigma.expand(len(x)), {"transformer_options": {}}
        )
        outputs[f"x0{i}"] = x0.float().contiguous()
save_file(outputs, result_path)
