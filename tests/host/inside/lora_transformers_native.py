"""Run by ComfyUI's Python in its folder: REPORT (JSON). A LoRA of a random Flux and Stable Diffusion 3: its file
through ComfyUI's LoraLoaderModelOnly, beside diffusers' network with the LoRA.

Of Qwen-Image and Lumina 2, whose networks are not built alike here, the keys alone: how many patches come of a file.

For each family, choice of targets and layout of the file: layers that were trained, patches that ComfyUI made of them
and of how many, keys it did not know, and the greatest difference of the outputs.
"""

import importlib
import json
import logging
import sys
import tempfile
from pathlib import Path

from safetensors.torch import load

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
from support.tiny_families import module_names, tiny_network

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


KEYS = {
    "Qwen-Image": (
        "QwenImage",
        ("native", "kohya"),
        dict(
            image_model="qwen_image",
            patch_size=2,
            in_channels=64,
            out_channels=16,
            num_layers=2,
            attention_head_dim=24,
            num_attention_heads=4,
            joint_attention_dim=48,
            axes_dims_rope=(8, 8, 8),
        ),
    ),
    "Lumina2": (
        "Lumina2",
        ("kohya",),
        dict(
            image_model="lumina2",
            patch_size=2,
            in_channels=16,
            dim=96,
            n_layers=2,
            n_refiner_layers=1,
            n_heads=4,
            n_kv_heads=2,
            qk_norm=True,
            cap_feat_dim=48,
            axes_dims=[8, 8, 8],
            axes_lens=[300, 512, 512],
        ),
    ),
}
for family, (kind, layouts, shape) in KEYS.items():
    config = getattr(comfy.supported_models, kind)(shape)
    config.set_inference_dtype(torch.float32, None)
    known = comfy.lora.model_lora_keys_unet(config.get_model({}, device=torch.device("cpu")), {})
    network = tiny_network(family)
    names = module_names(network)
    modules = lora_targets.choose_modules(names, lora_targets.TARGETS[1])
    adapter = lora.Adapter.new(network, modules, 4, 6.0, 3)
    layers = makers_layers(names.values(), family)
    fused = sum(len(layer.parts) - 1 for layer in layers if set(layer.parts) <= set(modules.values()))
    for layout in layouts:
        file = load(lora_file.to_bytes(adapter, None, torch.float32, layout=layout))
        unknown.clear()
        patches = comfy.lora.load_lora(file, known)
        report[f"{family} keys, {layout}"] = {
            "layers": len(modules) - (fused if layout == "kohya" else 0),
            "patches": len(patches),
            "unknown": list(unknown),
        }

Path(sys.argv[1]).write_text(json.dumps(report))
