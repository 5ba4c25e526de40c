"""A checkpoint in Stability's layout, written here from tiny modules, comes back as the same model."""

from __future__ import annotations

import re

import pytest
import torch
from safetensors.torch import save_file

from swf_core.models.single_file import TEMPLATES, checkpoint_family, load_single_file, predicts_v
from tests.core.test_backend_diffusers import write_tokenizer

from support.tiny_models import picture, tiny_backend, tiny_parts

RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "time_emb_proj": "emb_layers.1",
    "conv_shortcut": "skip_connection",
}
UNET_ENDS = {
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "conv_in": "input_blocks.0.0",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
    "mid_block.resnets.0": "middle_block.0",
    "mid_block.attentions.0": "middle_block.1",
    "mid_block.resnets.1": "middle_block.2",
}
VAE_MID = {
    "mid_block.resnets.0": "mid.block_1",
    "mid_block.resnets.1": "mid.block_2",
    "mid_block.attentions.0": "mid.attn_1",
    "group_norm": "norm",
    "to_q": "q",
    "to_k": "k",
    "to_v": "v",
    "to_out.0": "proj_out",
    "conv_norm_out": "norm_out",
    "conv_shortcut": "nin_shortcut",
    "downsamplers.0": "downsample",
    "upsamplers.0": "upsample",
}


def unet_key(key):
    for ours, theirs in UNET_ENDS.items():
        key = re.sub(f"^{ours}\\b", theirs, key)
    if ".resnets." in key or re.match(r"middle_block\.[02]\.", key):
        for ours, theirs in RESNET.items():
            key = re.sub(f"\\.{ours}\\.", f".{theirs}.", key)
    match = re.match(r"(down|up)_blocks\.(\d)\.(resnets|attentions|downsamplers|upsamplers)\.(\d)\.(.*)", key)
    if match is None:
        return key
    side, block, kind, index, rest = match[1], int(match[2]), match[3], int(match[4]), match[5]
    if kind == "downsamplers":
        return f"input_blocks.{3 * block + 3}.0.op.{rest.removeprefix('conv.')}"
    if kind == "upsamplers":
        return f"output_blocks.{3 * block + 2}.{1 if block == 0 else 2}.{rest}"
    place = 3 * block + index + 1 if side == "down" else 3 * block + index
    return f"{'input' if side == 'down' else 'output'}_blocks.{place}.{0 if kind == 'resnets' else 1}.{rest}"


def vae_key(key):
    for ours, theirs in VAE_MID.items():
        key = key.replace(ours, theirs)
    key = re.sub(r"down_blocks\.(\d)\.resnets", r"down.\1.block", key)
    key = re.sub(r"up_blocks\.(\d)\.resnets", lambda m: f"up.{3 - int(m[1])}.block", key)
    key = re.sub(r"up_blocks\.(\d)\.", lambda m: f"up.{3 - int(m[1])}.", key)
    return re.sub(r"down_blocks\.(\d)\.", r"down.\1.", key)


def write_checkpoint(path):
    unet, texts, _, vae, _ = tiny_parts("sd15")
    weights = {"model.diffusion_model." + unet_key(k): v for k, v in unet.state_dict().items()}
    for key, value in vae.state_dict().items():
        is_attention = ".attentions.0.to_" in key and key.endswith("weight")
        weights["first_stage_model." + vae_key(key)] = value[:, :, None, None] if is_attention else value
    for key, value in texts[0].state_dict().items():
        key = key if key.startswith("text_model.") else "text_model." + key
        weights["cond_stage_model.transformer." + key] = value
    save_file({k: v.contiguous() for k, v in weights.items()}, path)
    template = {"unet": unet.config, "vae": vae.config, "text_encoder": texts[0].config.to_dict()}
    return {"SD1.x": {name: {k: v for k, v in c.items() if not k.startswith("_")} for name, c in template.items()}}


def test_a_single_file_comes_back_the_same(tmp_path):
    templates = write_checkpoint(tmp_path / "model.safetensors")
    write_tokenizer(tmp_path / "tokenizer")
    loaded = load_single_file(tmp_path / "model.safetensors", templates=templates)
    built = tiny_backend("sd15")
    x = torch.randn((1, 4, 8, 8), generator=torch.Generator().manual_seed(0))
    cond = built.text.encode(["a b"], 64, 64)
    assert torch.allclose(loaded.denoiser.denoise(x, 3.0, cond), built.denoiser.denoise(x, 3.0, cond), atol=1e-5)
    assert torch.allclose(loaded.codec.encode(picture(1)[None]), built.codec.encode(picture(1)[None]), atol=1e-5)
    ids = torch.tensor([[62, 1, 2, 63, 63, 63, 63, 63]])
    texts = [backend.text.models[0](ids).last_hidden_state for backend in (loaded, built)]
    assert torch.allclose(*texts, atol=1e-5)
    assert loaded.family == "SD1.x" and loaded.native_size_px == 64 and loaded.name == "model"


def test_kinds_of_checkpoints():
    unet = {"model.diffusion_model.out.2.weight": (1,)}
    assert checkpoint_family(unet | {"cond_stage_model.model.ln_final.weight": (1,)}) == "SD2.x"
    assert checkpoint_family(unet | {"conditioner.embedders.1.model.ln_final.weight": (1,)}) == "SDXL"
    with pytest.raises(ValueError, match="no checkpoint of Stable Diffusion"):
        checkpoint_family(unet)
    bias = "model.diffusion_model.output_blocks.11.1.transformer_blocks.0.norm1.bias"
    wide, narrow = torch.tensor([1.0, -1.0]), torch.tensor([0.01, -0.01])
    assert predicts_v("SD2.x", {bias: wide}, {}) and not predicts_v("SD2.x", {bias: narrow}, {})
    assert not predicts_v("SD1.x", {bias: wide}, {})
    assert predicts_v("SDXL", {"v_pred": wide}, {}) and predicts_v("SD1.x", {}, {"modelspec.prediction_type": "v"})
    assert set(TEMPLATES) == {"SD1.x", "SD2.x", "SDXL"}


@pytest.mark.slow
@pytest.mark.parametrize("family", ["SD1.x", "SD2.x", "SDXL"])
def test_templates_have_the_size_of_the_real_models(family):
    from diffusers import AutoencoderKL, UNet2DConditionModel

    with torch.device("meta"):
        unet = UNet2DConditionModel(**TEMPLATES[family]["unet"])
        vae = AutoencoderKL(**TEMPLATES[family]["vae"])
    millions = {"SD1.x": 859.5, "SD2.x": 865.9, "SDXL": 2567.5}[family]
    assert sum(p.numel() for p in unet.parameters()) / 1e6 == pytest.approx(millions, abs=0.1)
    assert sum(p.numel() for p in vae.parameters()) / 1e6 == pytest.approx(83.65, abs=0.05)
