"""Run by ComfyUI's Python in its folder: REPORT (JSON). A compiled MODEL with a style transfer: the same latents.

By the host's own way of compiling (what Torch Compile Model does), but without code generation, which changes no more
than last digits: what is traced, and what is asked before a traced graph runs again, is what matters. Twice: as it is,
and with no question asked of the options of a call, which spares others' nodes from compiling anew.
"""

import os
import sys
import time

sys.path.insert(0, os.getcwd())

import comfy.cli_args

comfy.cli_args.args.use_pytorch_cross_attention = True  # not the one that looks at free memory: no graph can

from native_tools import STORE, apart, draw, fresh, pack, report, sample, torch, write_report  # noqa: E402

# isort: split
from comfy_api.torch_helpers import set_torch_compile_wrapper  # noqa: E402
from random_sd15 import random_sd15  # noqa: E402

content, *styles = (draw(1, 4, 8, 8, seed=k) for k in range(3))
text = [[draw(1, 77, 768, seed=9), {}]]
model = random_sd15(32)
for weight in model.model.diffusion_model.parameters():
    torch.nn.init.normal_(weight, 0.0, weight[0].numel() ** -0.5) if weight.dim() > 1 else None


def patched(on, style):
    node = pack("nodes.query_preserve_patch").QueryPreservePatch
    latents = {"content": {"samples": content}, "style": {"samples": style}, "reference_text": text}
    return node.execute(**fresh(node) | {"model": on, "layers": "late"} | latents).result[0]


def compiled(options):
    torch._dynamo.reset()
    clone = model.clone()
    set_torch_compile_wrapper(clone, backend="eager", options=options)
    return clone


def sampled(on):
    """With one style and with another, known and unknown."""
    STORE.clear()
    return [sample(patched(on, style), size=(8, 8), positive=text, steps=4) for style in (*styles, styles[0])]


def skip_options(entries):
    return ["transformer_options" not in entry.name for entry in entries]


with torch.inference_mode():
    plain = sampled(model)
    report["styles differ"] = apart(plain[0], plain[1])
    for name, options in (("as it is", None), ("no question of the options", {"guard_filter_fn": skip_options})):
        counters = torch._dynamo.utils.counters
        counters.clear()
        began = time.process_time()
        found = sampled(compiled(options))
        report[name] = {
            "apart": max(apart(a, b) for a, b in zip(found, plain)),
            "graphs": counters["stats"]["unique_graphs"],
            "breaks": sum(counters["graph_break"].values()),
            "why": dict(counters["graph_break"]),
            "seconds": time.process_time() - began,
        }
write_report()
