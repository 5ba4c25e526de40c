"""The same random Flux and Stable Diffusion 3 in diffusers and as ComfyUI's MODEL. Call it in ComfyUI's Python."""

from __future__ import annotations

import re
from typing import Any

TOKEN_WIDTH, POOLED_WIDTH, CHANNELS = 48, 32, 16

_DIFFUSERS = {
    "Flux": dict(
        patch_size=1,
        in_channels=4 * CHANNELS,
        num_layers=2,
        num_single_layers=2,
        attention_head_dim=24,
        num_attention_heads=4,
        joint_attention_dim=TOKEN_WIDTH,
        pooled_projection_dim=POOLED_WIDTH,
        axes_dims_rope=(8, 8, 8),
        guidance_embeds=True,
    ),
    # ComfyUI's has 64 channels a head and as many heads as blocks.
    "SD3": dict(
        sample_size=16,
        patch_size=2,
        in_channels=CHANNELS,
        out_channels=CHANNELS,
        num_layers=2,
        attention_head_dim=64,
        num_attention_heads=2,
        joint_attention_dim=TOKEN_WIDTH,
        caption_projection_dim=128,
        pooled_projection_dim=POOLED_WIDTH,
        pos_embed_max_size=16,
        qk_norm="rms_norm",
        dual_attention_layers=(0,),
    ),
}
_COMFYUI = {
    "Flux": dict(
        image_model="flux",
        guidance_embed=True,
        in_channels=CHANNELS,
        out_channels=CHANNELS,
        vec_in_dim=POOLED_WIDTH,
        context_in_dim=TOKEN_WIDTH,
        hidden_size=96,
        mlp_ratio=4.0,
        num_heads=4,
        depth=2,
        depth_single_blocks=2,
        axes_dim=[8, 8, 8],
        theta=10000,
        patch_size=2,
        qkv_bias=True,
    ),
    "SD3": dict(
        in_channels=CHANNELS,
        pos_embed_scaling_factor=None,
        input_size=None,
        pos_embed_max_size=16,
        num_patches=256,
        patch_size=2,
        depth=2,
        adm_in_channels=POOLED_WIDTH,
        qk_norm="rms",
        context_embedder_config={
            "target": "torch.nn.Linear",
            "params": {"in_features": TOKEN_WIDTH, "out_features": 128},
        },
        x_block_self_attn_layers=[0],
    ),
}
# What is no linear layer: diffusers' name -> ComfyUI's.
_OTHERS = (
    (r"transformer_blocks\.(\d+)\.attn\.norm_([qk])\.weight", r"double_blocks.\1.img_attn.norm.\2.scale"),
    (r"transformer_blocks\.(\d+)\.attn\.norm_added_([qk])\.weight", r"double_blocks.\1.txt_attn.norm.\2.scale"),
    (r"single_transformer_blocks\.(\d+)\.attn\.norm_([qk])\.weight", r"single_blocks.\1.norm.\2.scale"),
)
_OTHERS_OF_SD3 = (
    (r"transformer_blocks\.(\d+)\.(attn2?)\.norm_([qk])\.weight", r"joint_blocks.\1.x_block.\2.ln_\3.weight"),
    (r"transformer_blocks\.(\d+)\.attn\.norm_added_([qk])\.weight", r"joint_blocks.\1.context_block.attn.ln_\2.weight"),
    (r"pos_embed\.pos_embed", "pos_embed"),
)


def diffusers_transformer(family: str) -> Any:
    """A network with seeded random weights."""
    import diffusers
    import torch

    torch.manual_seed(4)
    kind = {"Flux": "FluxTransformer2DModel", "SD3": "SD3Transformer2DModel"}[family]
    return getattr(diffusers, kind)(**_DIFFUSERS[family]).eval()


def makers_weights(family: str, network: Any, makers_layers: Any) -> dict[str, Any]:
    """The weights by their makers' names. `makers_layers`: the core's table, which a wrong output would betray."""
    import torch

    state, found = dict(network.state_dict()), {}
    for layer in makers_layers([name for name, _ in network.named_modules()], family):
        for part in ("weight", "bias"):
            values = [state.pop(f"{name}.{part}") for name in layer.parts if f"{name}.{part}" in state]
            if values:
                whole = torch.cat(values)
                found[f"{layer.name}.{part}"] = torch.cat(whole.chunk(2)[::-1]) if layer.swapped else whole
    for name, value in state.items():
        for pattern, other in _OTHERS if family == "Flux" else _OTHERS_OF_SD3:
            match = re.fullmatch(pattern, name)
            if match:
                whole = match.expand(other)
                found[re.sub(r"norm\.([qk])\.scale", lambda m: f"norm.{_LONG[m[1]]}.scale", whole)] = value
    return found


_LONG = {"q": "query_norm", "k": "key_norm"}


def host_transformer(family: str, weights: dict[str, Any]) -> Any:
    """ComfyUI's MODEL with these weights, every one of which it has and none beside."""
    import comfy.model_management as mm
    import comfy.model_patcher
    import comfy.supported_models
    import torch

    config = getattr(comfy.supported_models, family)(dict(_COMFYUI[family]))
    config.set_inference_dtype(torch.float32, None)
    model = config.get_model({}, device=torch.device("cpu"))
    model.diffusion_model.load_state_dict(weights)
    return comfy.model_patcher.ModelPatcher(model.eval(), mm.get_torch_device(), torch.device("cpu"))
