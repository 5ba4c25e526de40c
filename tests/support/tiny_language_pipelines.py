"""Tiny random pipelines of diffusers whose text is read by a language model, whole, to be saved and loaded."""

from __future__ import annotations

import torch
from diffusers import (
    AutoencoderKLFlux2,
    AutoencoderKLQwenImage,
    FlowMatchEulerDiscreteScheduler,
    Flux2KleinPipeline,
    Flux2Pipeline,
    Lumina2Pipeline,
    QwenImagePipeline,
    ZImagePipeline,
)
from transformers import (
    Gemma2Config,
    Gemma2Model,
    Mistral3Config,
    Mistral3ForConditionalGeneration,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from support.tiny_models import tiny_vae
from support.tiny_transformers import TEXT_WIDTH, tiny_transformer
from support.word_tokenizer import word_tokenizer

LANGUAGE_PIPELINES = ("Qwen-Image", "Lumina2", "Z-Image", "Flux.2", "Flux.2 klein")
LAYERS = 2
_CHAT = (
    "{% for turn in messages %}[ {{ turn.role }} ] {% if turn.content is string %}{{ turn.content }}"
    "{% else %}{{ turn.content[0].text }}{% endif %} {% endfor %}"
    "{% if add_generation_prompt %}[ assistant ]{% if enable_thinking is false %} red{% endif %}{% endif %}"
)


def _shape(layers: int = LAYERS) -> dict:
    return dict(
        vocab_size=80,
        hidden_size=TEXT_WIDTH,
        intermediate_size=48,
        num_hidden_layers=layers,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=8,
        max_position_embeddings=2048,
        pad_token_id=0,
        bos_token_id=62,
        eos_token_id=63,
    )


def _qwen_vl():
    seeing = dict(depth=1, hidden_size=16, intermediate_size=16, num_heads=2, out_hidden_size=TEXT_WIDTH)
    turning = {"type": "mrope", "mrope_section": [1, 1, 2], "rope_type": "default"}
    config = Qwen2_5_VLConfig(text_config=_shape() | {"rope_scaling": turning}, vision_config=seeing)
    return Qwen2_5_VLForConditionalGeneration(config).eval()


def _mistral():
    seeing = dict(hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2, image_size=28)
    text = _shape(31) | {"model_type": "mistral"}
    config = Mistral3Config(text_config=text, vision_config=seeing | {"model_type": "pixtral"}, image_token_index=64)
    return Mistral3ForConditionalGeneration(config).eval()


def _chatting():
    tokenizer = word_tokenizer(False)
    tokenizer.chat_template = _CHAT
    return tokenizer


def _flux2_vae():
    torch.manual_seed(3)
    vae = AutoencoderKLFlux2(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(4, 4, 8, 8),
        layers_per_block=1,
        latent_channels=1,
        norm_num_groups=2,
        sample_size=64,
    ).eval()
    vae.bn.running_mean.copy_(torch.tensor([0.1, -0.2, 0.3, 0.0]))
    vae.bn.running_var.copy_(torch.tensor([0.5, 1.5, 2.0, 1.0]))
    return vae


def _qwen_vae():
    torch.manual_seed(3)
    return AutoencoderKLQwenImage(
        base_dim=4,
        z_dim=4,
        dim_mult=[1, 1, 2, 2],
        num_res_blocks=1,
        latents_mean=[0.1, -0.2, 0.3, 0.0],
        latents_std=[0.5, 1.5, 2.0, 1.0],
    ).eval()


def tiny_language_pipeline(name: str):
    """With seeded random weights; one of `LANGUAGE_PIPELINES`."""
    scheduler = FlowMatchEulerDiscreteScheduler(shift=3.0)
    vae = _flux2_vae() if name.startswith("Flux.2") else _qwen_vae() if name == "Qwen-Image" else tiny_vae()
    if name in ("Lumina2", "Z-Image"):
        vae.register_to_config(scaling_factor=1.5, shift_factor=0.06)
    torch.manual_seed(7)
    shared = {"vae": vae, "scheduler": scheduler}
    if name == "Qwen-Image":
        parts = dict(text_encoder=_qwen_vl(), tokenizer=word_tokenizer(False), transformer=tiny_transformer("qwen"))
        return QwenImagePipeline(**parts, **shared)
    if name == "Lumina2":
        reader = Gemma2Model(Gemma2Config(**_shape(), query_pre_attn_scalar=8)).eval()
        parts = dict(text_encoder=reader, tokenizer=word_tokenizer(True), transformer=tiny_transformer("lumina2"))
        return Lumina2Pipeline(**parts, **shared)
    if name == "Z-Image":
        reader = Qwen3ForCausalLM(Qwen3Config(**_shape())).eval()
        parts = dict(text_encoder=reader, tokenizer=_chatting(), transformer=tiny_transformer("z-image"))
        return ZImagePipeline(**parts, **shared)
    if name == "Flux.2":
        network = tiny_transformer("flux2", text_width=3 * TEXT_WIDTH)
        return Flux2Pipeline(text_encoder=_mistral(), tokenizer=_chatting(), transformer=network, **shared)
    reader = Qwen3ForCausalLM(Qwen3Config(**_shape(28))).eval()
    network = tiny_transformer("flux2", text_width=3 * TEXT_WIDTH, guidance=False)
    return Flux2KleinPipeline(text_encoder=reader, tokenizer=_chatting(), transformer=network, **shared)
