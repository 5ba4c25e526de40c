"""A whole sampling with a patched MODEL, from the options of the core."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import comfy.sample
import comfy.sampler_helpers
import comfy.samplers
import latent_preview
import torch
from torch import Tensor

from ....swf_core.transfer.defaults import SAMPLER
from ....swf_core.transfer.options import TransferOptions
from ....swf_core.transfer.sigmas import Levels, vp_scale
from .noise_levels import noise_levels


@dataclass(frozen=True)
class WholeSampling:
    """A sampler and what it is given. `levels`: those of StyleID, whose bookkeeping is its own, else None."""

    options: TransferOptions
    sampler_name: str
    scheduler: str
    positive: Any
    negative: Any
    seed: int
    levels: Levels | None

    def run(self, model: Any, clean: Tensor, noise_mask: Tensor | None) -> Tensor:
        """The result for clean latents of the content, as LATENT holds them; they stay where the noise mask is 0."""
        clean = noise_levels(model.model).framed(clean)
        options, levels, blank = self.options, self.levels, torch.zeros_like(clean)
        more = {"callback": latent_preview.prepare_callback(model, options.steps), "disable_pbar": True}
        more |= {"seed": self.seed, "noise_mask": noise_mask}
        if levels is None:
            named = (self.sampler_name, self.scheduler, self.positive, self.negative, clean)
            return comfy.sample.sample(
                model, blank, options.steps, options.cfg, *named, denoise=options.denoise, **more
            )
        sigmas = torch.tensor([*levels.sampled, levels.end], dtype=torch.float32)
        euler = comfy.samplers.sampler_object(SAMPLER)
        end = comfy.sample.sample_custom(
            model, blank, options.cfg, euler, sigmas, self.positive, self.negative, clean, **more
        )
        result = end / vp_scale(levels.end)
        if noise_mask is None:
            return result
        # The host puts the kept part back at every step; the scaling just above is not one of them.
        share = comfy.sampler_helpers.prepare_mask(noise_mask, clean.shape, clean.device)
        return clean + share * (result.to(clean) - clean)
