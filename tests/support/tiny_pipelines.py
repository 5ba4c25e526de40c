"""Tiny random pipelines of diffusers in the shapes of Stable Diffusion 3 and Flux, whole, to be saved and loaded."""

from __future__ import annotations

import torch
from diffusers import FlowMatchEulerDiscreteScheduler, FluxPipeline, StableDiffusion3Pipeline
from transformers import CLIPTextModel, CLIPTextModelWithProjection, T5Config, T5EncoderModel

from support.tiny_models import text_config, tiny_vae
from support.tiny_transformers import POOLED_WIDTH, TEXT_WIDTH, tiny_transformer
from support.word_tokenizer import word_tokenizer


def tiny_t5() -> T5EncoderModel:
    shape = dict(vocab_size=64, d_model=TEXT_WIDTH, d_kv=8, d_ff=64, num_layers=2, num_heads=4)
    return T5EncoderModel(T5Config(**shape)).eval()


def tiny_pipeline(family: str, t5: bool = True):
    """With seeded random weights. `t5`: whether SD3 has its third text encoder."""
    vae = tiny_vae()
    vae.register_to_config(scaling_factor=1.5, shift_factor=0.06)
    torch.manual_seed(7)
    shared = {"vae": vae, "tokenizer": word_tokenizer(True)}
    if family == "SD3":
        projected = [CLIPTextModelWithProjection(text_config(width, POOLED_WIDTH // 2)).eval() for width in (8, 16)]
        return StableDiffusion3Pipeline(
            transformer=tiny_transformer("sd3"),
            scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0),
            text_encoder=projected[0],
            text_encoder_2=projected[1],
            tokenizer_2=word_tokenizer(True),
            text_encoder_3=tiny_t5() if t5 else None,
            tokenizer_3=word_tokenizer(False) if t5 else None,
            **shared,
        )
    return FluxPipeline(
        transformer=tiny_transformer("flux"),
        scheduler=FlowMatchEulerDiscreteScheduler(
            use_dynamic_shifting=True, base_shift=0.5, max_shift=1.15, base_image_seq_len=256, max_image_seq_len=4096
        ),
        text_encoder=CLIPTextModel(text_config(POOLED_WIDTH)).eval(),
        text_encoder_2=tiny_t5(),
        tokenizer_2=word_tokenizer(False),
        **shared,
    )
