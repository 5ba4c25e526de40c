"""Layers of LoRA files by every maker's names: kohya's two, text models with and without `text_model`, real shapes."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import load, save_file

from swf_core.models import lora_file, lora_load
from swf_core.models.lora import Adapter
from swf_core.models.lora_formats.names import Layer, LayerNames, stability_names
from swf_core.models.lora_merge import merge_lora
from swf_core.models.lora_targets import TARGETS, choose_modules
from swf_core.models.single_file import TEMPLATES

from support.lora_makers import networks
from support.tiny_models import fresh_backend, tiny_backend


def kohya_file(path, family: str, front: str = "lora_te_text_model_"):
    """A file as sd-scripts writes it by default: some layers of the UNet and of each text model; and the tensors."""
    generator, tensors = torch.Generator().manual_seed(2), {}
    for index, network in enumerate(networks(tiny_backend(family))):
        for name, module in network.named_modules():
            if not isinstance(module, torch.nn.Linear) or not name.endswith(("attn1.to_q", "q_proj", "fc1")):
                continue
            plain = name.removeprefix("text_model.").replace(".", "_")
            key = f"lora_unet_{plain}" if index == 0 else front.format(index) + plain
            out, inside = module.weight.shape
            tensors[f"{key}.lora_down.weight"] = torch.randn((2, inside), generator=generator)
            tensors[f"{key}.lora_up.weight"] = torch.randn((out, 2), generator=generator)
            tensors[f"{key}.alpha"] = torch.tensor(1.0)
    save_file(tensors, path)
    return tensors


@pytest.mark.parametrize(
    ("family", "front"),
    [
        ("sd15", "lora_te_text_model_"),
        ("sd15", "lora_te1_text_model_"),
        ("sd15", "lora_te_"),
        ("sd2v", "lora_te_text_model_"),
        ("sdxl", "lora_te{}_text_model_"),
        ("sdxl", "lora_te{}_"),
    ],
)
def test_kohyas_names_of_text_models_are_found(family, front, tmp_path):
    path = tmp_path / "kohya.safetensors"
    tensors = kohya_file(path, family, front)
    backend, plain = fresh_backend(family), tiny_backend(family)
    assert merge_lora(backend, path) == len(tensors) // 3
    for index, (network, original) in enumerate(zip(networks(backend), networks(plain))):
        before = dict(original.named_modules())
        for name, module in network.named_modules():
            if isinstance(module, torch.nn.Linear) and name.endswith(("attn1.to_q", "q_proj", "fc1")):
                flat = name.removeprefix("text_model.").replace(".", "_")
                key = f"lora_unet_{flat}" if index == 0 else front.format(index) + flat
                product = tensors[f"{key}.lora_up.weight"] @ tensors[f"{key}.lora_down.weight"]
                assert torch.allclose(module.weight, before[name].weight + 0.5 * product, atol=1e-5)


def test_a_file_for_the_text_models_alone_is_merged(tmp_path):
    tensors = {k: v for k, v in kohya_file(tmp_path / "all.safetensors", "sd15").items() if k.startswith("lora_te")}
    save_file(tensors, tmp_path / "text.safetensors")
    backend, plain = fresh_backend("sd15"), tiny_backend("sd15")
    assert merge_lora(backend, tmp_path / "text.safetensors") == 4
    texts = [b.text.encode(["a red cat"], 64, 64).tokens for b in (backend, plain)]
    assert (texts[0] - texts[1]).abs().max() > 1e-2


@pytest.mark.parametrize("targets", TARGETS[:3])
def test_kohyas_names_of_sdxl_mean_what_diffusers_takes_them_for(targets, tmp_path):
    """`lora_unet_input_blocks_4_1_...`: diffusers loads the very file to the same network."""
    from diffusers.loaders.lora_conversion_utils import (
        _convert_non_diffusers_lora_to_diffusers,
        _maybe_map_sgm_blocks_to_diffusers,
    )

    source = fresh_backend("sdxl").denoiser
    adapter = Adapter.new(source.network, choose_modules(source.module_names, targets), 2, 2.0, 3)
    with torch.no_grad():
        for name, value in adapter.parameters().items():
            if name.endswith(".up"):
                value.normal_(0, 0.1, generator=torch.Generator().manual_seed(len(name)))
    names = stability_names(source.module_names.values())
    other = {name.replace(".", "_"): names[name].replace(".", "_") for name in adapter.layers}
    assert len(other) == len(adapter.layers)
    tensors = {}
    for key, value in load(lora_file.to_bytes(adapter, None, torch.float32)).items():
        name, rest = key.removeprefix("lora_unet_").split(".", 1)
        tensors[f"lora_unet_{other[name]}.{rest}"] = value
    assert any(key.startswith("lora_unet_input_blocks_4_1_transformer_blocks_0") for key in tensors)
    path = tmp_path / "sgm.safetensors"
    save_file(tensors, path)

    merged, switched, theirs = (fresh_backend("sdxl") for _ in range(3))
    assert merge_lora(merged, path) == len(adapter.layers)
    lora_load.load(switched.denoiser.network, switched.denoiser.module_names, path)
    config = type("Config", (), {"layers_per_block": 2})
    state, alphas = _convert_non_diffusers_lora_to_diffusers(_maybe_map_sgm_blocks_to_diffusers(dict(tensors), config))
    theirs.denoiser.network.load_lora_adapter(state, network_alphas=alphas, prefix="unet")
    x = torch.randn((1, 4, 8, 8), generator=torch.Generator().manual_seed(1))
    text = tiny_backend("sdxl").text.encode(["a red cat"], 64, 64)
    answers = [b.denoiser.denoise(x * 1.5, 1.5, text) for b in (merged, switched, theirs, tiny_backend("sdxl"))]
    assert (answers[0] - answers[2]).abs().max() < 1e-4 and (answers[1] - answers[2]).abs().max() < 1e-4
    assert (answers[3] - answers[2]).abs().max() > 1e-3


# As they stand in files that people have (names as sd-scripts, diffusers and ComfyUI's trainer write them).
REAL_NAMES = {
    "SD1.x": {
        "lora_unet_down_blocks_2_attentions_1_transformer_blocks_0_ff_net_0_proj": (
            "unet",
            "down_blocks.2.attentions.1.transformer_blocks.0.ff.net.0.proj",
        ),
        "lora_unet_mid_block_attentions_0_proj_in": ("unet", "mid_block.attentions.0.proj_in"),
        "diffusion_model.middle_block.1.proj_in": ("unet", "mid_block.attentions.0.proj_in"),
        "diffusion_model.output_blocks.11.1.transformer_blocks.0.attn2.to_v": (
            "unet",
            "up_blocks.3.attentions.2.transformer_blocks.0.attn2.to_v",
        ),
        "lora_unet_input_blocks_3_0_op": ("unet", "down_blocks.0.downsamplers.0.conv"),
        "lora_unet_output_blocks_2_1_conv": ("unet", "up_blocks.0.upsamplers.0.conv"),
        "lora_unet_output_blocks_5_2_conv": ("unet", "up_blocks.1.upsamplers.0.conv"),
        "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1.processor.to_out": (
            "unet",
            "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_out.0",
        ),
        "lora_te_text_model_encoder_layers_11_self_attn_out_proj": ("te1", "encoder.layers.11.self_attn.out_proj"),
        "text_encoder.text_model.encoder.layers.3.mlp.fc1": ("te1", "encoder.layers.3.mlp.fc1"),
        "base_model.model.text_model.encoder.layers.3.mlp.fc1": ("te1", "encoder.layers.3.mlp.fc1"),
        "text_encoders.clip_l.transformer.text_model.encoder.layers.3.mlp.fc1": ("te1", "encoder.layers.3.mlp.fc1"),
    },
    "SDXL": {
        "lora_unet_input_blocks_4_1_transformer_blocks_0_attn1_to_k": (
            "unet",
            "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_k",
        ),
        "lora_unet_input_blocks_8_1_transformer_blocks_9_ff_net_2": (
            "unet",
            "down_blocks.2.attentions.1.transformer_blocks.9.ff.net.2",
        ),
        "lora_unet_middle_block_1_transformer_blocks_9_attn2_to_out_0": (
            "unet",
            "mid_block.attentions.0.transformer_blocks.9.attn2.to_out.0",
        ),
        "lora_unet_output_blocks_2_2_conv": ("unet", "up_blocks.0.upsamplers.0.conv"),
        "lora_unet_output_blocks_8_0_skip_connection": ("unet", "up_blocks.2.resnets.2.conv_shortcut"),
        "lora_unet_label_emb_0_0": ("unet", "add_embedding.linear_1"),
        "lora_unet_time_embed_2": ("unet", "time_embedding.linear_2"),
        "lycoris_up_blocks_1_attentions_2_proj_out": ("unet", "up_blocks.1.attentions.2.proj_out"),
        "lora_te1_text_model_encoder_layers_0_mlp_fc1": ("te1", "encoder.layers.0.mlp.fc1"),
        "lora_te2_text_model_encoder_layers_31_self_attn_k_proj": ("te2", "encoder.layers.31.self_attn.k_proj"),
        "lora_te2_text_projection": ("te2", "text_projection"),
        "text_encoder_2.text_model.encoder.layers.31.self_attn.k_proj": ("te2", "encoder.layers.31.self_attn.k_proj"),
    },
}


@pytest.mark.parametrize("family", REAL_NAMES)
def test_names_of_real_files_are_found_in_models_of_real_shape(family):
    """On the meta device; and no layer with weights is without a name of Stability's, nor two share one."""
    from diffusers import UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    template = TEMPLATES[family]
    with torch.device("meta"):
        unet = UNet2DConditionModel(**template["unet"])
        texts = [CLIPTextModel(CLIPTextConfig(**template["text_encoder"]))]
        if "text_encoder_2" in template:
            texts.append(CLIPTextModelWithProjection(CLIPTextConfig(**template["text_encoder_2"])))
    weighted = [name for name, module in unet.named_modules() if hasattr(module, "weight")]
    names = LayerNames(weighted, [[name for name, _ in text.named_modules()] for text in texts])
    for key, (part, name) in REAL_NAMES[family].items():
        assert names.find(key) == Layer(part, name), key
    other = stability_names(weighted)
    assert set(other) == set(weighted) and len(set(other.values())) == len(other)


def test_what_is_not_in_a_model_is_named_for_what_it_is():
    names = LayerNames(["conv_in", "down_blocks.0.resnets.0.conv1"], [["text_model.encoder.layers.0.mlp.fc1"]])
    for key in (
        "lora_unet_double_blocks_0_img_attn_proj",
        "transformer.single_transformer_blocks.3.attn.to_q",
        "lora_unet_joint_blocks_0_context_block_attn_qkv",
        "diffusion_model.blocks.0.self_attn.q",
        "lora_te3_encoder_block_0_layer_0_SelfAttention_k",
    ):
        assert names.find(key) is None and "of another build (Flux, SD3" in names.why_not(key), key
    assert "text model 2, and this model has one text model" in names.why_not("lora_te2_text_model_x")
    assert names.why_not("lora_unet_input_blocks_8_1_transformer_blocks_9_ff_net_2") == "is not in this model"
