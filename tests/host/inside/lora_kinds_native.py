"""Run by ComfyUI's Python in its folder: REPORT (JSON). LoRA files of every kind that ComfyUI's loader knows, under the
names it knows, on random models in the shapes of SD1.5, SD2-v and SDXL: its merged weights beside those of our reader.

"apart": the greatest difference of a merged weight, relative to the weight's greatest value.
"""

import tempfile
from pathlib import Path
from types import SimpleNamespace

from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from native_tools import comfy, draw, error_messages, model, repainted, report, torch, write_report
from support.pack import pack
from support.random_unets import FAMILIES, diffusers_unet, host_model

merge_lora, put_lora = pack("swf_core.models.lora_merge").merge_lora, pack("nodes.host.lora").put_lora
folder = Path(tempfile.mkdtemp())
RANK, ALPHA = 4, 3.0


def values(*shape, seed):
    return 0.2 * draw(*shape, seed=seed)


def factors(shape, seed):
    """A LoRA's tensors for a weight of this shape."""
    out, inside, *kernel = shape
    ones = [1] * len(kernel)
    return {
        "lora_up.weight": values(out, RANK, *ones, seed=seed),
        "lora_down.weight": values(RANK, inside, *kernel, seed=seed + 1),
        "alpha": torch.tensor(ALPHA),
    }


def hadamard(shape, seed, tucker):
    out, inside, *kernel = shape
    wide = inside * (kernel[0] * kernel[1] if kernel else 1)
    tensors = {"alpha": torch.tensor(ALPHA)}
    for k in (1, 2):
        if tucker and kernel:
            tensors[f"hada_t{k}"] = draw(RANK, RANK, *kernel, seed=seed + k)
            tensors[f"hada_w{k}_a"], tensors[f"hada_w{k}_b"] = (
                values(RANK, out, seed=seed + 3 * k),
                values(RANK, inside, seed=seed + 4 * k),
            )
        else:
            tensors[f"hada_w{k}_a"], tensors[f"hada_w{k}_b"] = (
                values(out, RANK, seed=seed + 3 * k),
                values(RANK, wide, seed=seed + 4 * k),
            )
    return tensors


def kronecker(shape, seed, form):
    """`form`: "factors" of the large matrix, "whole", or "tucker"."""
    out, inside, *kernel = shape
    a, b = 4, 4 if inside % 4 == 0 else 1
    large = (out // a, inside // b)
    tensors = {"lokr_w1": values(a, b, seed=seed), "alpha": torch.tensor(ALPHA)}
    if form == "whole":
        tensors["lokr_w2"] = values(*large, *kernel, seed=seed + 1)
    elif form == "tucker" and kernel:
        tensors["lokr_t2"] = draw(RANK, RANK, *kernel, seed=seed + 1)
        tensors["lokr_w2_a"], tensors["lokr_w2_b"] = (
            values(RANK, large[0], seed=seed),
            values(RANK, large[1], seed=seed),
        )
    else:
        wide = large[1] * (kernel[0] * kernel[1] if kernel else 1)
        tensors["lokr_w2_a"], tensors["lokr_w2_b"] = values(large[0], RANK, seed=seed), values(RANK, wide, seed=seed)
    return tensors


def tucker_lora(shape, seed):
    tensors = factors(shape, seed)
    if len(shape) == 4:
        tensors["lora_down.weight"] = values(RANK, shape[1], 1, 1, seed=seed + 1)
        tensors["lora_mid.weight"] = draw(RANK, RANK, *shape[2:], seed=seed + 2)
    return tensors


def dora(shape, seed, axis):
    """A magnitude near the weight's own, along the outputs (0) or the inputs (1)."""
    size = [1] * len(shape)
    size[axis] = shape[axis]
    return factors(shape, seed) | {"dora_scale": 1.0 + values(*size, seed=seed + 5).abs()}


def glora(shape, seed):
    out, inside, *kernel = shape
    ones = [1] * len(kernel)
    return {
        "a1.weight": values(inside, RANK, *ones, seed=seed),
        "a2.weight": values(RANK, inside, *ones, seed=seed + 1),
        "b1.weight": values(out, RANK, *ones, seed=seed + 2),
        "b2.weight": values(RANK, inside, *kernel, seed=seed + 3),
        "alpha": torch.tensor(ALPHA),
    }


KINDS = {
    "LoRA": factors,
    "LoRA without alpha": lambda shape, seed: {k: v for k, v in factors(shape, seed).items() if k != "alpha"},
    "LoCon, Tucker": tucker_lora,
    "LoHa": lambda shape, seed: hadamard(shape, seed, False),
    "LoHa, Tucker": lambda shape, seed: hadamard(shape, seed, True),
    "LoKr": lambda shape, seed: kronecker(shape, seed, "factors"),
    "LoKr, whole": lambda shape, seed: kronecker(shape, seed, "whole"),
    "LoKr, Tucker": lambda shape, seed: kronecker(shape, seed, "tucker"),
    "DoRA by inputs": lambda shape, seed: dora(shape, seed, 1),
    "DoRA by outputs": lambda shape, seed: dora(shape, seed, 0),
    "GLoRA": glora,
    "full difference": lambda shape, seed: {"diff": values(*shape, seed=seed), "diff_b": values(shape[0], seed=seed)},
    "whole weight": lambda shape, seed: {"set_weight": values(*shape, seed=seed)},
}
ENDS = (".attn1.to_k", ".attn2.to_out.0", ".ff.net.0.proj", ".conv1", ".conv_shortcut", "samplers.0.conv", ".proj_in")


def by_comfyui(patches, weights):
    """The weights that ComfyUI's patches make."""
    merged = {}
    for key, patch in patches.items():
        weight = weights[key].clone()
        merged[key] = comfy.lora.calculate_weight([(1.0, patch, 1.0, None, None)], weight, key)
    return merged


def apart(ours, theirs):
    return max(float((ours[k] - theirs[k]).abs().max() / theirs[k].abs().max()) for k in theirs)


for family in FAMILIES:
    plain = diffusers_unet(family)
    own = {k: v.clone() for k, v in plain.state_dict().items()}
    host = host_model(family, own)
    to_host = comfy.utils.unet_to_diffusers(host.model.model_config.unet_config)
    key_map = comfy.lora.model_lora_keys_unet(host.model, {})
    host_weights = host.model.state_dict()
    chosen = [n.removesuffix(".weight") for n in own if n.endswith(".weight") and n[: -len(".weight")].endswith(ENDS)][
        ::3
    ]
    fronts = {
        "kohya": lambda n: "lora_unet_" + n.replace(".", "_"),
        "kohya, Stability's blocks": lambda n, to_host=to_host: (
            "lora_unet_" + to_host[n + ".weight"][: -len(".weight")].replace(".", "_")
        ),
        "ComfyUI's trainer": lambda n, to_host=to_host: "diffusion_model." + to_host[n + ".weight"][: -len(".weight")],
        "SimpleTuner": lambda n: "lycoris_" + n.replace(".", "_"),
    }
    for number, (kind, make) in enumerate(KINDS.items()):
        layout = list(fronts)[number % len(fronts)]
        tensors = {}
        for k, name in enumerate(chosen):
            for part, value in make(tuple(own[f"{name}.weight"].shape), 10 * k).items():
                if part != "diff_b" or f"{name}.bias" in own:
                    tensors[f"{fronts[layout](name)}.{part}"] = value.contiguous()
        path = folder / "file.safetensors"
        save_file(tensors, path)
        patches = comfy.lora.load_lora(comfy.utils.load_torch_file(str(path), safe_load=True), key_map)
        theirs = by_comfyui(patches, host_weights)
        network = diffusers_unet(family)
        count = merge_lora(SimpleNamespace(denoiser=SimpleNamespace(network=network), text=None, name="x"), path)
        state = network.state_dict()
        back = {f"diffusion_model.{h}": n for n, h in to_host.items()}
        ours = {key: state[back[key]] for key in theirs}
        if kind == "DoRA by outputs":
            # ComfyUI divides by the norm of W, the makers by that of W + D, which its result is a multiple of.
            for key in theirs:
                rows, merged = ours[key].flatten(1), theirs[key].flatten(1)
                theirs[key] = (merged * (rows.norm(dim=1) / merged.norm(dim=1))[:, None]).reshape(theirs[key].shape)
        patched = put_lora(host, comfy.utils.load_torch_file(str(path), safe_load=True), 1.0, "file")
        put = {k: comfy.lora.calculate_weight(v, host_weights[k].clone(), k) for k, v in patched.patches.items()}
        if kind == "LoKr, Tucker":  # ComfyUI logs an error for every convolution of such a file and leaves it as it was
            theirs = put
        effect = max(float((state[back[k]] - own[back[k]]).abs().max()) for k in theirs)
        report[f"{family}, {kind}"] = {
            "layout": layout,
            "layers": len(chosen),
            "ours": count,
            "theirs": sum(key.endswith(".weight") for key in patches),
            "put": sum(key.endswith(".weight") for key in patched.patches),
            "apart": apart(ours, theirs),
            "put apart": 0.0 if kind == "DoRA by outputs" else apart(ours, put),
            "effect": effect,
        }

    # Norms, and names of peft, which ComfyUI does not know: our node's helper puts them on all the same.
    norms = [n.removesuffix(".weight") for n in own if n.endswith(("norm1.weight", "norm2.weight"))]
    tensors = {}
    for k, name in enumerate(norms):
        size = own[f"{name}.weight"].shape[0]
        front = fronts["kohya"](name)
        tensors |= {f"{front}.w_norm": values(size, seed=k), f"{front}.b_norm": values(size, seed=k + 1)}
    save_file(tensors, path)
    network = diffusers_unet(family)
    merge_lora(SimpleNamespace(denoiser=SimpleNamespace(network=network), text=None, name="x"), path)
    theirs = by_comfyui(comfy.lora.load_lora(tensors, key_map), host_weights)
    ours = {key: network.state_dict()[back[key]] for key in theirs}
    report[f"{family}, norms"] = {"layers": 2 * len(norms), "theirs": len(theirs), "apart": apart(ours, theirs)}
    peft = {}
    for k, name in enumerate(chosen):
        parts = factors(tuple(own[f"{name}.weight"].shape), 10 * k)
        peft[f"unet.{name}.lora_A.weight"] = parts["lora_down.weight"]
        peft[f"unet.{name}.lora_B.weight"] = parts["lora_up.weight"]
    save_file(peft, path)
    network = diffusers_unet(family)
    merge_lora(SimpleNamespace(denoiser=SimpleNamespace(network=network), text=None, name="x"), path)
    patched = put_lora(host, peft, 1.0, "peft")
    theirs = {k: comfy.lora.calculate_weight(v, host_weights[k].clone(), k) for k, v in patched.patches.items()}
    ours = {key: network.state_dict()[back[key]] for key in theirs}
    report[f"{family}, peft"] = {
        "layers": len(chosen),
        "stock": len(comfy.lora.load_lora(peft, key_map)),
        "put": len(theirs),
        "apart": apart(ours, theirs),
    }

# Text models, by kohya's names, beside ComfyUI's.
small = dict(vocab_size=64, hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2)
config = CLIPTextConfig(**small, max_position_embeddings=8, projection_dim=16)
for fronts, kinds in (
    (("lora_te",), (CLIPTextModel,)),
    (("lora_te1", "lora_te2"), (CLIPTextModel, CLIPTextModelWithProjection)),
):
    torch.manual_seed(0)
    texts = [kind(config) for kind in kinds]
    weights, tensors = {}, {}
    for clip, front, text in zip(("clip_l", "clip_g"), fronts, texts):
        for name, value in text.state_dict().items():
            plain = name.removeprefix("text_model.")
            weights[f"{clip}.transformer.text_model.{plain}"] = value.clone()
            if plain.startswith("encoder.layers") and plain.endswith("weight") and value.dim() == 2:
                key = f"{front}_text_model_{plain.removesuffix('.weight').replace('.', '_')}"
                tensors |= {f"{key}.{part}": v for part, v in factors(tuple(value.shape), len(tensors)).items()}
    save_file(tensors, folder / "text.safetensors")
    patches = comfy.lora.load_lora(
        tensors, comfy.lora.model_lora_keys_clip(SimpleNamespace(state_dict=lambda w=weights: w), {})
    )
    theirs = by_comfyui(patches, weights)
    stub = SimpleNamespace(network=torch.nn.Module())
    count = merge_lora(
        SimpleNamespace(denoiser=stub, text=SimpleNamespace(models=texts), name="x"), folder / "text.safetensors"
    )
    ours = {}
    for clip, text in zip(("clip_l", "clip_g"), texts):
        for name, value in text.state_dict().items():
            ours[f"{clip}.transformer.text_model.{name.removeprefix('text_model.')}"] = value
    report[f"text models: {len(texts)}"] = {
        "layers": len(tensors) // 3,
        "ours": count,
        "theirs": len(theirs),
        "apart": apart(ours, theirs),
    }

# What is refused on a MODEL, and a sampling that is no number.
to_host = comfy.utils.unet_to_diffusers(model.model.model_config.unet_config)
name = "mid_block.attentions.0.transformer_blocks.0.attn1.to_q"
key, weight = "lora_unet_" + name.replace(".", "_"), model.model.diffusion_model.state_dict()[to_host[name + ".weight"]]
good = {f"{key}.{part}": value for part, value in factors(tuple(weight.shape), 0).items()}
broken = {k: v.clone() for k, v in good.items()}
broken[f"{key}.lora_up.weight"][0] = float("nan")
foreign = {k.replace(key, "lora_unet_double_blocks_0_img_attn_proj"): v for k, v in good.items()}
narrow = {k: v[:, :-8] if "down" in k else v for k, v in good.items()}
ia3 = {f"{key}.weight": torch.zeros(weight.shape[0]), f"{key}.on_input": torch.tensor(0)}
spoilt = model.clone()
spoilt.add_patches(
    {
        f"diffusion_model.{to_host['conv_in.weight']}": (
            "diff",
            (model.model.diffusion_model.state_dict()[to_host["conv_in.weight"]] * float("nan"),),
        )
    },
    1.0,
)
x = draw(1, 4, 8, 8, seed=1)
report["refused"] = error_messages(
    {
        "NaN": lambda: put_lora(model, broken, 1.0, "a.safetensors"),
        "foreign": lambda: put_lora(model, foreign, 1.0, "a.safetensors"),
        "narrow": lambda: put_lora(model, narrow, 1.0, "a.safetensors"),
        "IA3": lambda: put_lora(model, ia3, 1.0, "a.safetensors"),
        "NaN result": torch.inference_mode()(lambda: repainted(x, x, model=spoilt, steps=1)),
    }
)
both = good | {f"lora_te_text_model_encoder_layers_0_mlp_fc1.{part}": v for part, v in factors((16, 16), 3).items()}
report["text layers left out"] = len(put_lora(model, both, 1.0, "a.safetensors").patches)
write_report()
