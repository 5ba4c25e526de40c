"""LoRA files by LyCORIS, peft and diffusers: each of their layers answers in our merged model as in the maker's own."""

from __future__ import annotations

import json

import pytest
import torch
from peft import IA3Config, LoHaConfig, LoKrConfig, LoraConfig
from safetensors.torch import load_file, save_file

from swf_core.models.lora_merge import merge_lora

from support.lora_makers import apart, by_lycoris, by_peft, shake
from support.tiny_models import fresh_backend, tiny_backend

CLOSE = 1e-5  # of a layer's greatest answer

# Name -> LyCORIS's options, and an ending that only this kind of file has.
LYCORIS = {
    "LoCon": ({"algo": "locon", "alpha": 3.0}, "lora_up.weight"),
    "LoCon, Tucker": ({"algo": "locon", "use_tucker": True}, "lora_mid.weight"),
    "rsLoRA": ({"algo": "lora", "rs_lora": True}, "lora_up.weight"),
    "DoRA by outputs": ({"algo": "lora", "dora_wd": True}, "dora_scale"),
    "DoRA by inputs": ({"algo": "lora", "dora_wd": True, "wd_on_output": False}, "dora_scale"),
    "LoHa": ({"algo": "loha"}, "hada_w1_a"),
    "LoHa, Tucker": ({"algo": "loha", "use_tucker": True}, "hada_t1"),
    "LoHa with DoRA": ({"algo": "loha", "dora_wd": True}, "dora_scale"),
    "LoKr": ({"algo": "lokr", "dim": 1, "alpha": 0.5}, "lokr_w2_a"),
    "LoKr, both in factors": ({"algo": "lokr", "dim": 1, "alpha": 0.5, "decompose_both": True}, "lokr_w1_a"),
    "LoKr, Tucker": ({"algo": "lokr", "dim": 1, "alpha": 0.5, "use_tucker": True}, "lokr_t2"),
    "LoKr, both whole": ({"algo": "lokr", "full_matrix": True}, "lokr_w2"),
    "LoKr with DoRA by inputs": ({"algo": "lokr", "dim": 1, "dora_wd": True, "wd_on_output": False}, "dora_scale"),
    "IA3": ({"algo": "ia3"}, "on_input"),
    "IA3, some by inputs": (
        {"algo": "ia3", "preset": "FeedForward = {algo = 'ia3', train_on_input = true}\n"},
        "on_input",
    ),
    "GLoRA": ({"algo": "glora"}, "a1.weight"),
    "full difference": ({"algo": "full"}, "diff_b"),
    "LoRA and norms": ({"algo": "lora", "train_norm": True}, "b_norm"),
}


@pytest.mark.parametrize("name", LYCORIS)
def test_every_kind_of_lycoris_merges_as_it_computes(name, tmp_path):
    """Its UNet and its text model, whose names have no `text_model` with today's transformers."""
    options, ending = LYCORIS[name]
    path = tmp_path / "lycoris.safetensors"
    maker = by_lycoris("sd15", path, **options)
    assert any(key.endswith(f".{ending}") for key in load_file(path))
    ours, plain = fresh_backend("sd15"), tiny_backend("sd15")
    merged = merge_lora(ours, path)
    difference, changed = apart(ours, maker, plain)
    assert difference < CLOSE and merged == changed >= 250


@pytest.mark.parametrize("family", ["sd2v", "sdxl"])
def test_both_text_models_and_linear_projections_merge_too(family, tmp_path):
    path = tmp_path / "lycoris.safetensors"
    maker = by_lycoris(family, path, algo="loha")
    ours, plain = fresh_backend(family), tiny_backend(family)
    merged = merge_lora(ours, path)
    difference, changed = apart(ours, maker, plain)
    assert difference < CLOSE and merged == changed >= 250


LAYERS = ["to_q", "to_k", "to_out.0", "proj_in", "conv1", "conv_shortcut", "time_emb_proj"]
ONE = "mid_block.attentions.0.transformer_blocks.0.attn1.to_q"
PEFT = {
    "LoRA": LoraConfig(r=2, lora_alpha=6, target_modules=LAYERS),
    "ranks and alphas by layer": LoraConfig(
        r=2, lora_alpha=6, target_modules=LAYERS, rank_pattern={"conv1": 3, ONE: 1}, alpha_pattern={"to_k": 1}
    ),
    "rsLoRA": LoraConfig(r=4, lora_alpha=6, target_modules=LAYERS, use_rslora=True),
    "DoRA": LoraConfig(r=2, lora_alpha=6, target_modules=LAYERS, use_dora=True),
    "biases": LoraConfig(r=2, lora_alpha=6, target_modules=["to_out.0", "proj_in"], lora_bias=True),
    "LoHa": LoHaConfig(r=2, alpha=3, target_modules=LAYERS),
    "LoHa, Tucker": LoHaConfig(r=2, alpha=3, target_modules=LAYERS, use_effective_conv2d=True),
    "LoKr": LoKrConfig(r=1, alpha=3, target_modules=LAYERS),
    "LoKr, Tucker": LoKrConfig(r=1, alpha=3, target_modules=LAYERS, decompose_both=True, use_effective_conv2d=True),
    "LoKr, both whole": LoKrConfig(r=16, alpha=3, target_modules=LAYERS),
    "IA3": IA3Config(target_modules=["to_k", "to_v", "ff.net.2", "conv1"], feedforward_modules=["ff.net.2"]),
}


@pytest.mark.parametrize("name", PEFT)
def test_every_kind_of_peft_merges_as_it_computes(name, tmp_path):
    """The alpha stands in adapter_config.json alone."""
    maker = by_peft("sd15", tmp_path, PEFT[name])
    ours, plain = fresh_backend("sd15"), tiny_backend("sd15")
    merged = merge_lora(ours, tmp_path / "adapter_model.safetensors")
    difference, changed = apart(ours, maker, plain)
    assert difference < CLOSE and merged == changed >= 40


def test_an_adapter_of_peft_for_the_text_model_alone_merges(tmp_path):
    maker = by_peft("sd15", tmp_path, LoraConfig(r=2, lora_alpha=6, target_modules=["q_proj", "fc1"]), text_model=0)
    ours, plain = fresh_backend("sd15"), tiny_backend("sd15")
    assert merge_lora(ours, tmp_path / "adapter_model.safetensors") == 4
    assert apart(ours, maker, plain) == (pytest.approx(0, abs=CLOSE), 4)


def with_diffusers_lora(family: str):
    """A backend with a LoRA in its UNet and first text model, and their settings: what diffusers' trainers save."""
    from peft import inject_adapter_in_model

    backend = fresh_backend(family)
    parts = {"unet": backend.denoiser.network, "text_encoder": backend.text.models[0]}
    settings = {}
    chosen = {"unet": (["to_q", "to_out.0", "conv2"], 6), "text_encoder": (["q_proj", "out_proj"], 1)}
    for part, (targets, alpha) in chosen.items():
        config = LoraConfig(r=2, lora_alpha=alpha, target_modules=targets)
        parts[part].requires_grad_(False)
        inject_adapter_in_model(config, parts[part])
        shake(parts[part], 0.1)
        settings[part] = {"r": 2, "lora_alpha": alpha, "target_modules": targets}
    return backend, parts, settings


@pytest.mark.parametrize("family", ["sd15", "sdxl"])
def test_a_file_of_diffusers_merges_with_the_alpha_of_its_header(family, tmp_path):
    from diffusers import StableDiffusionPipeline
    from peft import get_peft_model_state_dict

    maker, parts, settings = with_diffusers_lora(family)
    weights = {part: get_peft_model_state_dict(network, adapter_name="default") for part, network in parts.items()}
    StableDiffusionPipeline.save_lora_weights(
        tmp_path,
        unet_lora_layers=weights["unet"],
        text_encoder_lora_layers=weights["text_encoder"],
        unet_lora_adapter_metadata=settings["unet"],
        text_encoder_lora_adapter_metadata=settings["text_encoder"],
    )
    path = tmp_path / "pytorch_lora_weights.safetensors"
    assert any(key.startswith("unet.down_blocks") for key in load_file(path))
    ours, plain = fresh_backend(family), tiny_backend(family)
    merged = merge_lora(ours, path)
    difference, changed = apart(ours, maker, plain)
    assert difference < CLOSE and merged == changed >= 90


def oldest(name: str) -> str:
    """peft's name of a tensor as diffusers had it when LoRA were attention processors."""
    for part in ("to_q", "to_k", "to_v"):
        name = name.replace(f".{part}.lora_A", f".processor.{part}_lora.down").replace(
            f".{part}.lora_B", f".processor.{part}_lora.up"
        )
    name = name.replace(".to_out.0.lora_A", ".processor.to_out_lora.down")
    name = name.replace(".to_out.0.lora_B", ".processor.to_out_lora.up")
    for part in ("q", "k", "v", "out"):
        for new, old in (("lora_A", "down"), ("lora_B", "up")):
            name = name.replace(f".{part}_proj.{new}", f".to_{part}_lora.{old}")
    return name


# What a tensor's name was in the layouts of diffusers before peft.
LAYOUTS = {
    "attention processors": oldest,
    "lora_linear_layer": lambda name: name.replace(".lora_A.", ".lora_linear_layer.down.").replace(
        ".lora_B.", ".lora_linear_layer.up."
    ),
    "lora.down": lambda name: name.replace(".lora_A.", ".lora.down.").replace(".lora_B.", ".lora.up."),
    "no front": lambda name: name.removeprefix("unet."),
    "the adapter's name": lambda name: name.replace(".lora_A.", ".lora_A.default.").replace(
        ".lora_B.", ".lora_B.default."
    ),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_layouts_of_diffusers_before_peft_merge(layout, tmp_path):
    from diffusers.utils import convert_state_dict_to_peft, convert_unet_state_dict_to_peft
    from peft import get_peft_model_state_dict

    maker, parts, _ = with_diffusers_lora("sd15")
    for network in parts.values():
        for module in network.modules():
            if hasattr(module, "scaling"):
                module.scaling["default"] = 1.0  # these layouts say no alpha
    tensors, names = {}, {}
    for part, network in parts.items():
        for name, tensor in get_peft_model_state_dict(network, adapter_name="default").items():
            if layout == "no front" and part != "unet":
                continue
            if layout == "attention processors" and "conv2" in name:
                continue
            names[LAYOUTS[layout](f"{part}.{name}")] = name
            tensors[LAYOUTS[layout](f"{part}.{name}")] = tensor.contiguous()
    if layout == "attention processors":  # diffusers itself takes these names for the ones of peft
        unet = {k.removeprefix("unet."): v for k, v in tensors.items() if k.startswith("unet.")}
        text = {k.removeprefix("text_encoder."): v for k, v in tensors.items() if k.startswith("text_encoder.")}
        understood = {**convert_unet_state_dict_to_peft(unet), **convert_state_dict_to_peft(text)}
        assert set(understood) == set(names.values())
    path = tmp_path / "old.safetensors"
    save_file(tensors, path)
    ours, plain = fresh_backend("sd15"), tiny_backend("sd15")
    assert merge_lora(ours, path) == len(tensors) // 2
    merged, changed = (dict(parts_answers(backend, plain, tensors, names)) for backend in (ours, maker))
    assert len(merged) == len(tensors) // 2
    for name, answer in merged.items():
        assert (answer - changed[name]).abs().max() < CLOSE * changed[name].abs().max(), name


def parts_answers(backend, plain, tensors, names):
    """The answers of the layers that the file names."""
    from support.lora_makers import answers

    wanted = {name.rsplit(".lora_", 1)[0] for name in names.values()}
    return [(name, answer) for name, answer in answers(backend, plain) if name.split(".", 1)[1] in wanted]


def test_settings_of_peft_that_are_no_numbers_are_refused(tmp_path):
    by_peft("sd15", tmp_path, PEFT["LoRA"])
    path, config = tmp_path / "adapter_model.safetensors", tmp_path / "adapter_config.json"
    for change, message in (
        ({"lora_alpha": "many"}, "'lora_alpha' is 'many'"),
        ({"lora_alpha": float("nan")}, "'lora_alpha' is nan"),
        ({"alpha_pattern": {"(a+)+$": 1}}, "no layer's name"),
        ([], "no JSON object"),
    ):
        settings = json.loads(config.read_text()) if isinstance(change, dict) else []
        config.write_text(json.dumps({**settings, **change} if isinstance(change, dict) else change))
        with pytest.raises(ValueError, match=message.replace("(", r"\(")):
            merge_lora(fresh_backend("sd15"), path)
        config.write_text(json.dumps(settings))


def test_a_strength_of_half_is_half_way_for_dora_too(tmp_path):
    """As ComfyUI does; LyCORIS's own multiplier 0 leaves half of a DoRA in."""
    path = tmp_path / "lycoris.safetensors"
    by_lycoris("sd15", path, algo="lora", dora_wd=True)
    plain, (half, whole, none) = tiny_backend("sd15"), (fresh_backend("sd15") for _ in range(3))
    for backend, strength in ((half, 0.5), (whole, 1.0), (none, 0.0)):
        merge_lora(backend, path, strength)
    name = "mid_block.attentions.0.transformer_blocks.0.attn1.to_q"
    a, b, c, d = (x.denoiser.network.get_submodule(name).weight for x in (plain, half, whole, none))
    assert torch.allclose(b, (a + c) / 2, atol=1e-6) and torch.equal(a, d) and not torch.allclose(a, c, atol=1e-3)
