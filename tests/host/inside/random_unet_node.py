"""A custom node for tests, one file in a ComfyUI's custom_nodes: a random UNet in the shape of Stable Diffusion 1.5,
and a drawn conditioning for it. Other packs' nodes that count that model's blocks need it; mini has fewer."""

import sys
from pathlib import Path

import torch

sys.path.append(str(Path(__file__).resolve().parents[2]))  # for `support`


class RandomSD15:
    RETURN_TYPES = ("MODEL", "CONDITIONING")
    FUNCTION = "make"
    CATEGORY = "tests"

    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {}}

    def make(self):
        from support.random_unets import TOKEN_WIDTH, diffusers_unet, host_model

        model = host_model("sd15", dict(diffusers_unet("sd15").state_dict()))
        tokens = torch.randn((1, 7, TOKEN_WIDTH), generator=torch.Generator().manual_seed(0))
        return model, [[tokens, {}]]


NODE_CLASS_MAPPINGS = {"RandomSD15": RandomSD15}
