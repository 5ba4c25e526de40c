"""MODELs of the host's nine families of diffusion transformers with random weights, small enough to sample in no time.

Import it after `native_tools`, in ComfyUI's Python.
"""

import comfy.model_patcher
import comfy.supported_models as families
import torch

_FLUX = {"in_channels": 16, "out_channels": 16, "hidden_size": 96, "mlp_ratio": 2.0, "num_heads": 4, "depth": 2}
_FLUX |= {"depth_single_blocks": 2, "axes_dim": [8, 8, 8], "theta": 10000, "patch_size": 2, "qkv_bias": True}
_FLUX |= {"context_in_dim": 48}
CONFIGS = {
    "Flux": (families.Flux, _FLUX | {"image_model": "flux", "guidance_embed": True, "vec_in_dim": 32}),
    "Chroma": (
        families.Chroma,
        _FLUX
        | {"image_model": "chroma", "in_channels": 64, "out_channels": 64}
        | {"in_dim": 64, "out_dim": 96, "hidden_dim": 64, "n_layers": 1},
    ),
    "SD3": (
        families.SD3,
        {"in_channels": 16, "pos_embed_scaling_factor": None, "input_size": None, "pos_embed_max_size": 16}
        | {"num_patches": 256, "patch_size": 2, "depth": 2, "adm_in_channels": 32, "qk_norm": "rms"}
        | {"x_block_self_attn_layers": [0]},  # SD3.5 medium's
    ),
    "Qwen-Image": (
        families.QwenImage,
        {"image_model": "qwen_image", "patch_size": 2, "in_channels": 64, "out_channels": 16, "num_layers": 2}
        | {"attention_head_dim": 24, "num_attention_heads": 4, "joint_attention_dim": 48}
        | {"axes_dims_rope": (8, 8, 8)},
    ),
    "Lumina2": (
        families.Lumina2,
        {"image_model": "lumina2", "patch_size": 2, "in_channels": 16, "dim": 96, "n_layers": 2}
        | {"n_refiner_layers": 1, "n_heads": 4, "n_kv_heads": 2, "qk_norm": True, "cap_feat_dim": 48}
        | {"axes_dims": [8, 8, 8], "axes_lens": [300, 512, 512]},
    ),
    "HiDream": (
        families.HiDream,
        {"image_model": "hidream", "patch_size": 2, "in_channels": 16, "out_channels": 16, "num_layers": 1}
        | {"num_single_layers": 1, "attention_head_dim": 24, "num_attention_heads": 4, "caption_channels": [48, 40]}
        | {"text_emb_dim": 32, "num_routed_experts": 2, "num_activated_experts": 1, "axes_dims_rope": (8, 8, 8)}
        | {"max_resolution": (32, 32), "llama_layers": [0, 0]},
    ),
    "AuraFlow": (
        families.AuraFlow,
        {"cond_seq_dim": 48, "in_channels": 4, "out_channels": 4, "patch_size": 2, "dim": 96, "n_layers": 2}
        | {"n_double_layers": 1, "n_heads": 4, "global_conddim": 96, "max_seq": 256},
    ),
    "OmniGen2": (
        families.Omnigen2,
        {"image_model": "omnigen2", "patch_size": 2, "in_channels": 16, "hidden_size": 96, "num_layers": 2}
        | {"num_refiner_layers": 1, "num_attention_heads": 4, "num_kv_heads": 2, "axes_dim_rope": (8, 8, 8)}
        | {"axes_lens": (300, 64, 64), "text_feat_dim": 48},
    ),
    "Wan": (
        families.WAN21_T2V,
        {"image_model": "wan2.1", "model_type": "t2v", "dim": 96, "num_heads": 4, "num_layers": 2, "ffn_dim": 128}
        | {"freq_dim": 32, "text_dim": 48, "in_dim": 16, "out_dim": 16, "patch_size": (1, 2, 2)}
        | {"window_size": (-1, -1), "qk_norm": True, "cross_attn_norm": True, "eps": 1e-6},
    ),
}


def _embedder(width):
    return {"target": "torch.nn.Linear", "params": {"in_features": 48, "out_features": width}}


# The weights from which the velocity comes.
LAST = (
    "final_layer.linear.weight",
    "proj_out.weight",
    "final_linear.weight",
    "norm_out.linear_2.weight",
    "head.head.weight",
)


def tiny(family, seed=0, more=None):
    """A MODEL of the family, in float32 on the CPU; `more` changes its shape."""
    kind, config = CONFIGS[family]
    config = config | (more or {})
    if family == "SD3":  # a head has 64 channels, and there are as many heads as blocks
        config = config | {"context_embedder_config": _embedder(64 * config["depth"])}
    settings = kind(config)
    settings.set_inference_dtype(torch.float32, None)
    model = settings.get_model({}, "", device="cpu")
    generator = torch.Generator().manual_seed(seed)
    for weight in model.diffusion_model.parameters():
        spread = 0.05 if weight.dim() < 2 else weight.flatten(1).shape[1] ** -0.5
        weight.requires_grad_(False).copy_(torch.randn(weight.shape, generator=generator) * spread)
    if getattr(model.diffusion_model, "pos_embed", None) is not None:  # SD3's places, which no parameter holds
        model.diffusion_model.pos_embed.copy_(
            torch.randn(model.diffusion_model.pos_embed.shape, generator=generator) * 0.5
        )
    for name, weight in model.diffusion_model.named_parameters():
        if weight.dim() == 1 and ("norm" in name or ".ln_" in name) and name.endswith(("weight", "scale")):
            weight += 1.0
        if name in LAST:  # a gentle velocity, so that an inversion comes back
            weight *= 0.1
    model.eval()
    return comfy.model_patcher.ModelPatcher(model, torch.device("cpu"), torch.device("cpu"))


def text(family, length=5, seed=0):
    """A CONDITIONING as this family reads it, of random tokens."""
    generator = torch.Generator().manual_seed(100 + seed)
    more = {"pooled_output": torch.randn(1, 32, generator=generator)}
    if family == "HiDream":
        more["conditioning_llama3"] = torch.randn(1, 2, length + 2, 40, generator=generator)
    if family in ("Lumina2", "OmniGen2"):
        more["attention_mask"] = torch.ones(1, length, dtype=torch.long)
    return [[torch.randn(1, length, 48, generator=generator), more]]


def channels(model):
    """Latent channels of a MODEL."""
    return model.model.latent_format.latent_channels
