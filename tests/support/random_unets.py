"""Small random UNets in the shapes of SD1.5, SD2-v and SDXL, wide enough for ComfyUI's 32 normalisation groups.

For each: diffusers' configuration, ComfyUI's, and whether v is predicted.
"""

from __future__ import annotations

from typing import Any

TOKEN_WIDTH, POOLED_WIDTH = 16, 16
FAMILIES: dict[str, tuple[dict[str, Any], dict[str, Any], bool]] = {
    "sd15": (
        dict(
            down_block_types=["CrossAttnDownBlock2D"] * 3 + ["DownBlock2D"],
            up_block_types=["UpBlock2D"] + ["CrossAttnUpBlock2D"] * 3,
            block_out_channels=[32, 32, 64, 64],
            layers_per_block=2,
            attention_head_dim=2,
        ),
        dict(
            channel_mult=[1, 1, 2, 2],
            num_res_blocks=[2] * 4,
            transformer_depth=[1] * 6 + [0] * 2,
            transformer_depth_output=[1] * 9 + [0] * 3,
            transformer_depth_middle=1,
            num_heads=2,
            num_head_channels=-1,
            use_linear_in_transformer=False,
        ),
        False,
    ),
    "sd2v": (
        dict(
            down_block_types=["CrossAttnDownBlock2D"] * 3 + ["DownBlock2D"],
            up_block_types=["UpBlock2D"] + ["CrossAttnUpBlock2D"] * 3,
            block_out_channels=[32, 32, 64, 64],
            layers_per_block=2,
            attention_head_dim=[1, 1, 2, 2],
            use_linear_projection=True,
        ),
        dict(
            channel_mult=[1, 1, 2, 2],
            num_res_blocks=[2] * 4,
            transformer_depth=[1] * 6 + [0] * 2,
            transformer_depth_output=[1] * 9 + [0] * 3,
            transformer_depth_middle=1,
            num_heads=-1,
            num_head_channels=32,
            use_linear_in_transformer=True,
        ),
        True,
    ),
    "sdxl": (
        dict(
            down_block_types=["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
            up_block_types=["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
            block_out_channels=[32, 64, 64],
            layers_per_block=2,
            transformer_layers_per_block=[1, 2, 2],
            attention_head_dim=[1, 2, 2],
            use_linear_projection=True,
            addition_embed_type="text_time",
            addition_time_embed_dim=256,
            projection_class_embeddings_input_dim=POOLED_WIDTH + 6 * 256,
        ),
        dict(
            channel_mult=[1, 2, 2],
            num_res_blocks=[2] * 3,
            transformer_depth=[0, 0, 2, 2, 2, 2],
            transformer_depth_output=[0, 0, 0, 2, 2, 2, 2, 2, 2],
            transformer_depth_middle=2,
            num_heads=-1,
            num_head_channels=32,
            use_linear_in_transformer=True,
            num_classes="sequential",
            adm_in_channels=POOLED_WIDTH + 6 * 256,
        ),
        False,
    ),
}


def diffusers_unet(family: str, seed: int = 0) -> Any:
    """The random network; its self-attention says more than at initialisation, so that a test can tell."""
    import torch
    from diffusers import UNet2DConditionModel

    torch.manual_seed(seed)
    unet = UNet2DConditionModel(
        sample_size=8, in_channels=4, out_channels=4, cross_attention_dim=TOKEN_WIDTH, **FAMILIES[family][0]
    )
    with torch.no_grad():
        for name, p in unet.named_parameters():
            if ".attn1.to_v" in name or ".attn1.to_out.0.weight" in name:
                p.mul_(2.5)
            # An untrained answer is amplified by sigma at every step of an inversion, rounding errors with it: louder
            # logits or a louder end make the result of a transfer chaotic, on either side.
            if name == "conv_out.weight":
                p.mul_(0.2)
    return unet.eval()


def host_model(family: str, weights: dict[str, Any]) -> Any:
    """ComfyUI's MODEL with these diffusers weights. Call it in ComfyUI's Python."""
    import comfy.latent_formats
    import comfy.model_base
    import comfy.model_management as mm
    import comfy.model_patcher
    import comfy.supported_models
    import comfy.utils
    import torch

    _, shape, predicts_v = FAMILIES[family]
    like = {"sd15": "SD15", "sd2v": "SD20", "sdxl": "SDXL"}[family]
    kind = comfy.model_base.ModelType.V_PREDICTION if predicts_v else comfy.model_base.ModelType.EPS
    more = {"attn_precision": torch.float32} if family == "sd2v" else {}
    config = type(
        "Tiny",
        (getattr(comfy.supported_models, like),),
        {
            "unet_config": {},
            "unet_extra_config": more,
            "required_keys": {},
            "latent_format": comfy.latent_formats.LatentFormat,
            "model_type": lambda self, state, prefix="": kind,
        },
    )(
        {
            "image_size": 8,
            "in_channels": 4,
            "out_channels": 4,
            "model_channels": 32,
            "context_dim": TOKEN_WIDTH,
            "use_spatial_transformer": True,
            "legacy": False,
            "adm_in_channels": None,
            "use_temporal_attention": False,
            "use_temporal_resblock": False,
            **shape,
        }
    )
    names = comfy.utils.unet_to_diffusers(config.unet_config)
    renamed = {names[k]: v for k, v in weights.items()}
    config.set_inference_dtype(torch.float32, None)
    model = config.get_model(renamed, "", device="cpu")
    model.diffusion_model.load_state_dict(renamed)
    device = mm.get_torch_device()
    return comfy.model_patcher.ModelPatcher(model, load_device=device, offload_device=torch.device("cpu"))
