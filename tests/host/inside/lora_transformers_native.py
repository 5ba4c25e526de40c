"""Run by ComfyUI's Python in its folder: REPORT (JSON). A LoRA of a random Flux and Stable Diffusion 3: its file
through ComfyUI's LoraLoaderModelOnly, beside diffusers' network with the LoRA.

For each family, choice of targets and layout of the file: layers that were trained, patches that ComfyUI made of them
and of how many, keys it did not know, and the greatest difference of the outputs.
"""

import importlib
import json
import logging
import sys
import tempfile
from pathlib import Path

from native_tools import comfy, draw, torch
from support.host_transformers import (
    CHANNELS,
    POOLED_WIDTH,
    TOKEN_WIDTH,
    diffusers_transformer,
    host_transformer,
    makers_weights,
)
from support.pack import pack

# ComfyUI's own, which no import of this repository's folder may shadow.
folder_paths, nodes = importlib.import_module("folder_paths"), importlib.import_module("nodes")
lora, lora_file, lora_targets = (pack(f"swf_core.models.{n}") for n in ("lora", "lora_file", "lora_targets"))
contracts, transformers = pack("swf_core.models.contracts"), pack("swf_core.models.transformer_denoiser")
makers_layers = pack("swf_core.models.lora_formats.makers_names").makers_layers
GUIDANCE, TIMES = 3.5, torch.tensor([0.3, 0.8])
report, unknown = {}, []


class Listener(logging.Handler):
    """Keeps what ComfyUI says of keys that it does not load."""

    def emit(self, record):
        if "not loaded" in record.getMessage():
            unknown.append(record.getMessage())


logging.getLogger().addHandler(Listener())
folder = tempfile.mkdtemp()
folder_paths.add_model_folder_path("loras", folder)
x, tokens, pooled = draw(2, CHANNELS, 16, 12, seed=1), draw(2, 7, TOKEN_WIDTH, seed=2), draw(2, POOLED_WIDTH, seed=3)
text = contracts.Conditioning(tokens, pooled)


@torch.no_grad()
def in_diffusers(network):
    return transformers.TransformerDenoiser(network).velocity(x, TIMES, text, guidance=GUIDANCE)


@torch.no_grad()
def in_comfyui(model, family):
    comfy.model_management.load_models_gpu([model])
    times = TIMES if family == "Flux" else TIMES * 1000
    more = {"guidance": torch.full((2,), GUIDANCE)} if family == "Flux" else {}
    return model.model.diffusion_model(x, times, context=tokens, y=pooled, **more)


for family in ("Flux", "SD3"):
    plain = diffusers_transformer(family)
    bare = in_diffusers(plain)
    model = host_transformer(family, makers_weights(family, plain, makers_layers))
    report[f"{family} plain"] = float((in_comfyui(model, family) - bare).abs().max())
    for targets in lora_targets.TARGETS[:2]:
        network = diffusers_transformer(family)
        names = {module: name for name, module in network.named_modules()}
        adapter = lora.Adapter.new(network, lora_targets.choose_modules(names, targets), 4, 6.0, 3)
        with torch.no_grad():
            for k, (name, value) in enumerate(adapter.parameters().items()):
                if name.endswith(".up"):
                    value.copy_(0.1 * draw(*value.shape, seed=k))
        expected = in_diffusers(network)
        for layout in ("native", "kohya"):
            name = f"{family}_{len(adapter.layers)}_{layout}.safetensors"
            Path(folder, name).write_bytes(lora_file.to_bytes(adapter, None, torch.float32, layout=layout))
            unknown.clear()
            (patched,) = nodes.LoraLoaderModelOnly().load_lora_model_only(model, name, 1.0)
            with_lora = in_comfyui(patched, family)
            layers = makers_layers(names.values(), family)
            whole = sum(any(part in adapter.layers for part in layer.parts) for layer in layers)
            report[f"{family}, {targets}, {layout}"] = {
                "layers": len(adapter.layers) if layout == "native" else whole,
                "patches": sum(len(patches) for patches in patched.patches.values()),
                "unknown": list(unknown),
                "difference": float((with_lora - expected).abs().max()),
                "effect": float((expected - bare).abs().max()),
            }

Path(sys.argv[1]).write_text(json.dumps(report))
