"""Diffusion transformers in the core give what ComfyUI's own classes give: same weights, text and noise level."""

from __future__ import annotations

import json

import pytest
import torch

from swf_core.models.contracts import AttentionEdit, Conditioning
from swf_core.models.transformer_denoiser import TransformerDenoiser

from support.comfy_host import INSIDE

TEXT, POOLED = 48, 32
WIDE = dict(attention_head_dim=24, num_attention_heads=4, joint_attention_dim=TEXT)
# diffusers' class and shape, and ComfyUI's.
NETWORKS = {
    "Flux": (
        "FluxTransformer2DModel",
        dict(in_channels=64, num_layers=2, num_single_layers=2, pooled_projection_dim=POOLED, guidance_embeds=True)
        | dict(axes_dims_rope=(8, 8, 8))
        | WIDE,
        dict(image_model="flux", guidance_embed=True, in_channels=16, out_channels=16, vec_in_dim=POOLED, depth=2)
        | dict(context_in_dim=TEXT, hidden_size=96, mlp_ratio=4.0, num_heads=4, depth_single_blocks=2, theta=10000)
        | dict(axes_dim=[8, 8, 8], patch_size=2, qkv_bias=True),
    ),
    "SD3": (
        "SD3Transformer2DModel",
        dict(sample_size=16, in_channels=16, num_layers=2, attention_head_dim=64, num_attention_heads=2)
        | dict(joint_attention_dim=TEXT, caption_projection_dim=128, pooled_projection_dim=POOLED, out_channels=16)
        | dict(pos_embed_max_size=16, qk_norm="rms_norm", dual_attention_layers=(0,)),
        dict(in_channels=16, pos_embed_scaling_factor=None, input_size=None, pos_embed_max_size=16, num_patches=256)
        | dict(patch_size=2, depth=2, adm_in_channels=POOLED, qk_norm="rms", x_block_self_attn_layers=[0])
        | {"context_embedder_config": dict(target="torch.nn.Linear", params=dict(in_features=TEXT, out_features=128))},
    ),
    "QwenImage": (
        "QwenImageTransformer2DModel",
        dict(in_channels=64, out_channels=16, num_layers=2, axes_dims_rope=(8, 8, 8)) | WIDE,
        dict(image_model="qwen_image", patch_size=2, in_channels=64, out_channels=16, num_layers=2)
        | dict(axes_dims_rope=(8, 8, 8))
        | WIDE,
    ),
    "Lumina2": (
        "Lumina2Transformer2DModel",
        dict(sample_size=16, in_channels=16, hidden_size=96, num_layers=2, num_refiner_layers=1, cap_feat_dim=TEXT)
        | dict(num_attention_heads=4, num_kv_heads=2, axes_dim_rope=(8, 8, 8)),
        dict(image_model="lumina2", patch_size=2, in_channels=16, dim=96, n_layers=2, n_refiner_layers=1, n_heads=4)
        | dict(n_kv_heads=2, qk_norm=True, cap_feat_dim=TEXT, axes_dims=[8, 8, 8], axes_lens=[300, 512, 512]),
    ),
}


def draw(seed, *shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("family", NETWORKS)
def test_core_and_comfyui_agree(host, tmp_path, family):
    diffusers = pytest.importorskip("diffusers")
    from safetensors.torch import load_file, save_file

    kind, shape, native = NETWORKS[family]
    torch.manual_seed(0)
    denoiser = TransformerDenoiser(getattr(diffusers, kind)(**shape).eval())
    # even grids: of an odd one Qwen-Image's middle lies elsewhere in ComfyUI
    x_t, t, cond = draw(1, 2, 16, 16, 12), 0.6, Conditioning(draw(2, 2, 7, TEXT), draw(3, 2, POOLED))
    tensors = {f"net.{name}": x for name, x in denoiser.network.state_dict().items()}
    tensors |= {"x": x_t, "t": torch.tensor([t]), "tokens": cond.tokens}
    if family in ("Flux", "SD3"):
        tensors["pooled"] = cond.pooled
    request, result = tmp_path / "request.safetensors", tmp_path / "result.safetensors"
    metadata = {"shape": json.dumps({"class": family} | native)}
    save_file({name: x.contiguous() for name, x in tensors.items()}, request, metadata)
    run = host.run(INSIDE / "transformer_native.py", request, result)
    assert run.returncode == 0, run.stdout

    theirs, sigma = load_file(result)["x0"], t / (1.0 - t)
    layers = frozenset(layer.name for layer in denoiser.self_attention_layers)
    for edit in (None, AttentionEdit(layers, lambda *_: None)):
        ours = denoiser.denoise(x_t * (1.0 + sigma), sigma, cond, edit)
        assert float((ours - theirs).abs().max()) < 1e-3 < 0.1 < float((ours - x_t).abs().max())
