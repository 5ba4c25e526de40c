"""Tiny random models in the shapes of SD1.5, SD2.x (v prediction) and SDXL, for what must hold whatever the weights."""

from __future__ import annotations

import functools

import torch
from diffusers import AutoencoderKL, AutoencoderTiny, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from swf_core.models.contracts import Backend
from swf_core.models.diffusers_backend import backend_from_modules

FAMILIES = ("sd15", "sd2v", "sdxl")
_TEXT_LENGTH = 8


def tokenize(texts):
    """Words to ids by their letters; 62 begins, 63 ends and pads."""
    rows = []
    for text in texts:
        ids = [1 + sum(map(ord, word)) % 60 for word in text.split()][: _TEXT_LENGTH - 2]
        rows.append([62, *ids] + [63] * (_TEXT_LENGTH - 1 - len(ids)))
    return torch.tensor(rows)


def text_config(width: int, projection: int = 16) -> CLIPTextConfig:
    return CLIPTextConfig(
        vocab_size=64,
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=_TEXT_LENGTH,
        projection_dim=projection,
        bos_token_id=62,
        eos_token_id=63,
        pad_token_id=63,
    )


def tiny_unet(family: str) -> UNet2DConditionModel:
    shared = dict(sample_size=8, in_channels=4, out_channels=4, norm_num_groups=4)
    if family in ("sd15", "sd2v"):
        shape = dict(
            down_block_types=("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",),
            up_block_types=("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3,
            block_out_channels=(8, 8, 16, 16),
            layers_per_block=2,
            cross_attention_dim=16,
        )
        if family == "sd2v":
            shape |= dict(use_linear_projection=True, attention_head_dim=(1, 2, 2, 4))
        else:
            shape |= dict(attention_head_dim=2)
    else:
        shape = dict(
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
            block_out_channels=(8, 16, 16),
            layers_per_block=2,
            transformer_layers_per_block=(1, 2, 2),
            attention_head_dim=(1, 2, 2),
            use_linear_projection=True,
            cross_attention_dim=32,
            addition_embed_type="text_time",
            addition_time_embed_dim=8,
            projection_class_embeddings_input_dim=64,
        )
    return UNet2DConditionModel(**shared, **shape)


def tiny_vae(kind: str = "kl"):
    if kind == "kl":
        return AutoencoderKL(
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            block_out_channels=(4, 4, 8, 8),
            layers_per_block=1,
            latent_channels=4,
            norm_num_groups=2,
            sample_size=64,
            scaling_factor=6.0,
        )
    return AutoencoderTiny(
        encoder_block_out_channels=(8,) * 4,
        decoder_block_out_channels=(8,) * 4,
        num_encoder_blocks=(1, 1, 1, 1),
        num_decoder_blocks=(1, 1, 1, 1),
    )


def tiny_parts(family: str, seed: int = 0, vae: str = "kl"):
    """(unet, text models, tokenizers, vae, scheduler config) with seeded random weights, sharper than at init."""
    torch.manual_seed(seed)
    unet = tiny_unet(family)
    if family == "sdxl":
        texts = [CLIPTextModel(text_config(16)), CLIPTextModelWithProjection(text_config(16))]
    else:
        texts = [CLIPTextModel(text_config(16))]
    codec = tiny_vae(vae)
    with torch.no_grad():
        # fresh layers barely attend and barely answer; these do, so that a test can tell
        for name, p in unet.named_parameters():
            if ".attn1.to_" in name and p.dim() == 2:
                p.mul_(2.5)
            if name == "conv_out.weight":
                p.mul_(0.2 if family != "sd2v" else 1.0)  # eps
    scheduler = {"prediction_type": "v_prediction" if family == "sd2v" else "epsilon"}
    return unet, texts, [tokenize] * len(texts), codec, scheduler


def fresh_backend(family: str, seed: int = 0, vae: str = "kl") -> Backend:
    """A backend of the caller's own on the tiny parts, to train."""
    unet, texts, tokenizers, codec, scheduler = tiny_parts(family, seed, vae)
    return backend_from_modules(unet, texts, tokenizers, codec, scheduler, name=f"tiny {family}", native_size_px=64)


@functools.cache
def tiny_backend(family: str, seed: int = 0, vae: str = "kl") -> Backend:
    """A backend on the tiny parts; shared between tests, which never change it."""
    return fresh_backend(family, seed, vae)


def picture(seed: int, height: int = 64, width: int = 64) -> torch.Tensor:
    """A blotchy random picture [3, H, W] in 0..1."""
    coarse = torch.rand((1, 3, 5, 5), generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.interpolate(coarse, (height, width), mode="bicubic").clamp(0, 1)[0]
