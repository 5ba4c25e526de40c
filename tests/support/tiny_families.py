"""Small diffusion transformers of the families whose networks only the names of their layers are asked of."""

from __future__ import annotations

import diffusers
import torch

_SHAPES = {
    "Qwen-Image": dict(
        kind="QwenImageTransformer2DModel",
        patch_size=2,
        in_channels=16,
        out_channels=4,
        num_layers=2,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=32,
        axes_dims_rope=(4, 6, 6),
    ),
    "Lumina2": dict(
        kind="Lumina2Transformer2DModel",
        patch_size=2,
        in_channels=4,
        hidden_size=48,
        num_layers=2,
        num_refiner_layers=1,
        num_attention_heads=2,
        num_kv_heads=1,
        multiple_of=16,
        cap_feat_dim=32,
        axes_dim_rope=(8, 8, 8),
        axes_lens=(64, 64, 64),
    ),
    "Z-Image": dict(
        kind="ZImageTransformer2DModel",
        all_patch_size=(2,),
        all_f_patch_size=(1,),
        in_channels=4,
        dim=48,
        n_layers=2,
        n_refiner_layers=1,
        n_heads=2,
        n_kv_heads=2,
        cap_feat_dim=32,
        axes_dims=[8, 8, 8],
        axes_lens=[64, 64, 64],
    ),
    "Flux.2": dict(
        kind="Flux2Transformer2DModel",
        patch_size=1,
        in_channels=16,
        num_layers=2,
        num_single_layers=2,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=32,
        axes_dims_rope=(4, 4, 4, 4),
        timestep_guidance_channels=16,
    ),
}
FAMILIES = ("SD3", "Flux", *_SHAPES)


def tiny_network(family: str, seed: int = 0):
    """A network with seeded random weights."""
    if family in ("SD3", "Flux"):
        from support.tiny_transformers import tiny_transformer  # which the core's name alone finds

        return tiny_transformer(family.lower(), seed)
    torch.manual_seed(seed)
    shape = dict(_SHAPES[family])
    return getattr(diffusers, shape.pop("kind"))(**shape).eval()


def module_names(network) -> dict:
    return {module: name for name, module in network.named_modules()}
