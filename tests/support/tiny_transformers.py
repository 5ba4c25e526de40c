"""Tiny random diffusion transformers in the shapes of six families, for what must hold whatever the weights."""

from __future__ import annotations

import functools

import torch
from diffusers import (
    Flux2Transformer2DModel,
    FluxTransformer2DModel,
    Lumina2Transformer2DModel,
    QwenImageTransformer2DModel,
    SD3Transformer2DModel,
    ZImageTransformer2DModel,
)

from swf_core.measure.benches.random_models import PooledCodec, RandomText
from swf_core.models.contracts import Backend, Conditioning
from swf_core.models.transformer_denoiser import TransformerDenoiser

TRANSFORMERS = ("sd3", "flux", "qwen", "lumina2", "z-image", "flux2")
TEXT_WIDTH, POOLED_WIDTH = 32, 64


class PooledText(RandomText):
    """Random tokens and a random pooled row, without SDXL's sizes."""

    def encode(self, texts, height_px, width_px) -> Conditioning:
        tokens = super().encode(texts, height_px, width_px).tokens[:, :7]
        rows = [torch.randn(1, POOLED_WIDTH, generator=torch.Generator().manual_seed(50 + len(t))) for t in texts]
        return Conditioning(tokens, torch.cat(rows))


def _network(family: str, text_width: int, guidance: bool):
    wide = dict(attention_head_dim=16, num_attention_heads=2, joint_attention_dim=text_width)
    if family == "sd3":
        return SD3Transformer2DModel(
            sample_size=16,
            patch_size=2,
            in_channels=4,
            out_channels=4,
            num_layers=3,
            attention_head_dim=8,
            num_attention_heads=4,
            joint_attention_dim=text_width,
            caption_projection_dim=32,
            pooled_projection_dim=POOLED_WIDTH,
            pos_embed_max_size=24,
            qk_norm="rms_norm",
            dual_attention_layers=(0,),
        )
    if family == "flux":
        shape = dict(patch_size=1, in_channels=16, num_layers=2, num_single_layers=2, axes_dims_rope=(4, 4, 8))
        return FluxTransformer2DModel(pooled_projection_dim=POOLED_WIDTH, guidance_embeds=guidance, **shape, **wide)
    if family == "qwen":
        shape = dict(patch_size=2, in_channels=16, out_channels=4, num_layers=3, axes_dims_rope=(4, 4, 8))
        return QwenImageTransformer2DModel(**shape, **wide)
    if family == "lumina2":
        return Lumina2Transformer2DModel(
            sample_size=16,
            patch_size=2,
            in_channels=4,
            hidden_size=48,
            num_layers=3,
            num_refiner_layers=1,
            num_attention_heads=4,
            num_kv_heads=2,
            multiple_of=2,
            axes_dim_rope=(4, 4, 4),
            axes_lens=(300, 64, 64),
            cap_feat_dim=text_width,
        )
    if family == "z-image":
        return ZImageTransformer2DModel(
            in_channels=4,
            dim=32,
            n_layers=3,
            n_refiner_layers=1,
            n_heads=2,
            n_kv_heads=2,
            cap_feat_dim=text_width,
            axes_dims=[4, 4, 8],
            axes_lens=[256, 64, 64],
        )
    shape = dict(patch_size=1, in_channels=4, num_layers=2, num_single_layers=2, axes_dims_rope=(4, 4, 4, 4))
    return Flux2Transformer2DModel(timestep_guidance_channels=32, guidance_embeds=guidance, **shape, **wide)


def tiny_transformer(family: str, seed: int = 0, *, text_width: int = TEXT_WIDTH, guidance: bool = True):
    """A network with seeded random weights, sharper than at init. `guidance`: whether Flux and Flux.2 are told one."""
    torch.manual_seed(seed)
    network = _network(family, text_width, guidance)
    with torch.no_grad():
        for name, p in network.named_parameters():
            if ("norm_q" in name or "norm_k" in name) and "linear" not in name:
                p.mul_(2.0)  # fresh layers barely attend; these do, so that a test can tell
            if any(part in name for part in (".attn.to_v", ".attn.to_out", ".attention.to_v", ".attention.to_out")):
                p.mul_(2.0)
            if name.endswith("pad_token"):
                p.normal_()  # zeros at first, which would hide what reads them
    return network.eval()


@functools.cache
def tiny_transformer_backend(family: str, seed: int = 0) -> Backend:
    """A backend on such a network; shared between tests, which never change it."""
    denoiser = TransformerDenoiser(tiny_transformer(family, seed), shift=3.0 if family == "sd3" else 1.0)
    text = PooledText(TEXT_WIDTH)
    return Backend(denoiser, text, PooledCodec(), f"tiny {family}", 64, family, {"all": "all"})
