"""Run by ComfyUI's Python in its folder: REQUEST RESULT, both safetensors. A Triple Diffusion Sampler that reads its
words from the pictures: REQUEST holds `content` and `style` [1,H,W,3] and its metadata "inputs", a JSON object of the
node's widgets in place of its defaults. RESULT gets `latents`, and as metadata the panel's "row"; it is run twice, and
`seconds` are those of reading the words, first and again.
"""

import json
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, os.getcwd())
sys.path.insert(1, str(Path(__file__).resolve().parents[2]))  # for `support`

import comfy.cli_args

comfy.cli_args.args.cpu = True  # before anything asks for a device

import torch  # noqa: E402
from safetensors import safe_open  # noqa: E402
from safetensors.torch import save_file  # noqa: E402

from support.pack import pack  # noqa: E402

request, result_path = sys.argv[1:]
with safe_open(request, "pt") as file:
    content, style = file.get_tensor("content"), file.get_tensor("style")
    inputs = json.loads(file.metadata()["inputs"])
mini, words = pack("nodes.host.native_mini"), pack("nodes.host.transfer.words")
node = pack("nodes.triple_sampler").TripleSampler
with torch.inference_mode():
    given = {"clip": mini.load_clip(), "vae": mini.load_vae(), "model": mini.load_model()}
    dials = {i.id: i.default for i in node.define_schema().inputs if getattr(i, "default", None) is not None}
    seconds = []
    for _ in range(2):
        began = time.perf_counter()
        words.read_words(None, given["clip"], (content, style), (inputs["captioner"], "mini"), "custom")
        seconds.append(time.perf_counter() - began)
    result = node.execute(**dials | given | {"content": content, "style": style} | inputs)
rows = [row for row in result.ui["swf_panel"] if row["kind"] == "prompt"]
tensors = {"latents": result.result[0]["samples"].float().contiguous(), "seconds": torch.tensor(seconds)}
save_file(tensors, result_path, {"row": json.dumps(rows)})
