"""Run by ComfyUI's Python in its folder: REPORT (JSON). A LoRA on a private copy of random models in the shapes of
SD1.5, SD2-v and SDXL: its file through ComfyUI's own loading, and in diffusers.

For each family and choice of targets: layers that were trained, patches that ComfyUI made of them, and the greatest
difference of the outputs of the copy, of ComfyUI's patched MODEL and of diffusers' network.
"""

import json
import sys
import tempfile
from pathlib import Path

from native_tools import comfy, draw, torch
from support.pack import pack
from support.random_unets import FAMILIES, POOLED_WIDTH, TOKEN_WIDTH, diffusers_unet, host_model

training, unets = pack("nodes.host.training.backend"), pack("nodes.host.transfer.unet")
lora, lora_file, lora_load, lora_targets = (
    pack(f"swf_core.models.{n}") for n in ("lora", "lora_file", "lora_load", "lora_targets")
)
contracts, denoiser = pack("swf_core.models.contracts"), pack("swf_core.models.unet_denoiser")
report = {}

for family in FAMILIES:
    plain = diffusers_unet(family)
    weights = {k: v.clone() for k, v in plain.state_dict().items()}
    model = host_model(family, weights)
    before = {k: v.clone() for k, v in model.model.diffusion_model.state_dict().items()}
    x, timesteps = draw(2, 4, 12, 8, seed=1), torch.tensor([100, 700])
    tokens, y = draw(2, 7, TOKEN_WIDTH, seed=2), None
    pooled, sizes = draw(2, POOLED_WIDTH, seed=3), torch.tensor([[64.0, 96.0, 0.0, 0.0, 64.0, 96.0]] * 2)
    for targets in lora_targets.TARGETS[:3]:
        with torch.inference_mode(False):
            copy = training.TrainableCopy(model, unets.inspect_unet(model.model))
            adapter = lora.Adapter.new(copy.network, lora_targets.choose_modules(copy.module_names, targets), 4, 8.0, 3)
            with torch.no_grad():
                for k, (name, value) in enumerate(adapter.parameters().items()):
                    if name.endswith(".up"):
                        value.copy_(0.1 * draw(*value.shape, seed=k))
            sdxl = model.model.adm_channels > 0
            if sdxl:
                # The sizes as sinusoids, as both sides embed them before the network.
                net = diffusers_unet(family)
                y = torch.cat([pooled, net.add_time_proj(sizes.flatten()).reshape(2, -1)], -1)
            cond = contracts.Conditioning(tokens, y)
            with torch.no_grad():
                expected = copy.predict(x, timesteps, cond)
                with adapter.disabled():
                    bare = copy.predict(x, timesteps, cond)
            loss = copy.predict(x, timesteps, cond).square().mean()
            loss.backward()
            grads = sum(p.grad is not None and bool(p.grad.abs().sum() > 0) for p in adapter.parameters().values())
            data = lora_file.to_bytes(adapter, None, torch.float32)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "style.safetensors"
            path.write_bytes(data)
            file = comfy.utils.load_torch_file(str(path), safe_load=True)
            patched, _ = comfy.sd.load_lora_for_models(model, None, file, 1.0, 0.0)
            comfy.model_management.load_models_gpu([patched])
            vector = {} if y is None else {"y": y}
            with torch.no_grad():
                in_comfyui = patched.model.diffusion_model(x, timesteps=timesteps, context=tokens, **vector)
            other = diffusers_unet(family)
            loaded = lora_load.load(other, {m: n for n, m in other.named_modules()}, path)
            added = {"text_embeds": pooled, "time_ids": sizes} if sdxl else None
            with torch.no_grad():
                in_diffusers = other(
                    x, timesteps, encoder_hidden_states=tokens, added_cond_kwargs=added, return_dict=False
                )[0]
        comfy.model_management.load_models_gpu([model])
        after = model.model.diffusion_model.state_dict()
        report[f"{family}, {targets}"] = {
            "layers": len(adapter.layers),
            "patches": len(patched.patches),
            "diffusers": len(loaded.layers),
            "learn": grads,
            "effect": float((expected - bare).abs().max()),
            "ComfyUI": float((in_comfyui - expected).abs().max()),
            "in diffusers": float((in_diffusers - expected).abs().max()),
            "untouched": all(torch.equal(after[k], before[k]) for k in before),
        }

Path(sys.argv[1]).write_text(json.dumps(report))
