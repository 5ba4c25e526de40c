"""A MODEL in the shape of SD1.5 with random weights, for scripts that time it. Import it after `native_tools`."""

import comfy.model_patcher
import comfy.supported_models
import torch

SHAPE = {
    "image_size": 32,
    "in_channels": 4,
    "out_channels": 4,
    "context_dim": 768,
    "num_res_blocks": [2] * 4,
    "channel_mult": [1, 2, 4, 4],
    "transformer_depth": [1] * 6 + [0] * 2,
    "transformer_depth_output": [1] * 9 + [0] * 3,
    "transformer_depth_middle": 1,
    "num_heads": 8,
    "num_head_channels": -1,
    "use_linear_in_transformer": False,
    "use_spatial_transformer": True,
    "legacy": False,
    "adm_in_channels": None,
    "use_temporal_attention": False,
    "use_temporal_resblock": False,
}


def random_sd15(width=320):
    """`width`: channels at full resolution; SD1.5's own are 320."""
    config = comfy.supported_models.SD15(SHAPE | {"model_channels": width})
    config.set_inference_dtype(torch.float32, None)
    model = config.get_model({}, "", device="cpu")
    torch.manual_seed(0)
    for weight in model.diffusion_model.parameters():
        weight.requires_grad_(False).normal_(0, 0.02)
    return comfy.model_patcher.ModelPatcher(model, torch.device("cpu"), torch.device("cpu"))
