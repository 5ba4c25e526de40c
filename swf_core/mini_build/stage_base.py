"""Stage "base": train UNet and text encoder together on cached latents of the painters' pictures."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..models.mini.text import WordTokenizer
from ..models.mini.unet import MiniUNet
from ..models.mini.vae import NarrowAutoencoder
from ..models.precision import mixed_precision
from .base_batches import Batches, LatentSet
from .training_loop import Plan, Progress, StageSettings, train

PLANS = {
    "base-1": Plan(steps=5200, learning_rate=1.2e-3, warm_up=200, floor=0.02, save_every=250, ema=0.998),
    "base-2": Plan(steps=5000, learning_rate=7e-4, warm_up=100, floor=0.02, save_every=250, ema=0.999),
    "base-3": Plan(steps=4400, learning_rate=6e-4, warm_up=100, floor=0.01, save_every=200, ema=0.999),
    "base-4": Plan(steps=2600, learning_rate=6e-4, warm_up=100, floor=0.01, save_every=200, ema=0.999),
    "base-5": Plan(steps=1000, learning_rate=5e-4, warm_up=50, floor=0.01, save_every=100, ema=0.995),
}
# How much of what a stage has trained is in the weights it leaves; the rest is the stage before's, as in interpolated
# fine-tuning (arXiv 2109.01903): half of base-5 draws its styles and stays as near to the truth (docs/figures.md).
TRAINED_SHARE = {"base-5": 0.5}


@dataclass(frozen=True)
class BaseModel:
    """What the stage trains, in place: UNet and text encoder; with the tokenizer and the noise schedule [T]."""

    unet: MiniUNet
    text: nn.Module
    tokenizer: WordTokenizer
    alphas_cumprod: Tensor


@torch.no_grad()
def encode_all(vae: NarrowAutoencoder, pictures: np.ndarray, path: Path, progress: Progress | None = None) -> Tensor:
    """Latents [N, 4, 16, 16] of uint8 pictures, cached in `path` beside the pictures."""
    if path.exists():
        return torch.from_numpy(np.load(path))
    out = []
    for start in range(0, len(pictures), 64):
        batch = torch.from_numpy(np.array(pictures[start : start + 64])).permute(0, 3, 1, 2).float() / 255
        with mixed_precision():
            out.append(vae.encode(batch.to(memory_format=torch.channels_last)).float().contiguous())
        if progress:
            progress(min(1.0, (start + 64) / len(pictures)), "encoding")
    latents = torch.cat(out)
    temporary = path.with_name(f"unfinished_{path.name}")
    np.save(temporary, latents.numpy())
    os.replace(temporary, path)
    return latents


def train_base(model: BaseModel, data: LatentSet, stage: str, settings: StageSettings) -> dict[str, Any]:
    """Train both networks in place and return the loop's report. `stage`: a key of `PLANS` and `CAPTIONS`."""
    from .paired_attention import PairedAttentionProcessor

    batches, seed = Batches(data, stage), settings.seed
    model.unet.set_attn_processor(PairedAttentionProcessor(batches.pairs))
    model.unet.train()
    model.text.train()

    def loss_of(step: int) -> Tensor:
        rng = np.random.default_rng([seed, step])
        index, captions = batches.draw(rng)
        generator = torch.Generator().manual_seed(seed * 1_000_003 + step)
        timesteps = torch.from_numpy(batches.timesteps(rng, len(index)))
        x0 = data.latents[torch.from_numpy(index)]
        return v_loss(model, x0, timesteps, model.tokenizer(captions), generator)

    report = train({"unet": model.unet, "text": model.text}, loss_of, PLANS[stage], settings)
    model.unet.eval()
    model.text.eval()
    return report


@torch.no_grad()
def blend(model: BaseModel, before: Sequence[Mapping[str, Tensor]], share: float) -> None:
    """Move UNet and text encoder, in place, to `share` of themselves and the rest of `before`, their states."""
    for module, state in zip((model.unet, model.text), before, strict=True):
        for name, tensor in module.state_dict().items():
            if tensor.is_floating_point():
                tensor.lerp_(state[name], 1.0 - share)


def v_loss(model: BaseModel, x0: Tensor, timesteps: Tensor, ids: Tensor, generator: torch.Generator) -> Tensor:
    """Mean squared error of the velocity v = sqrt(abar) eps - sqrt(1 - abar) x0 (Salimans and Ho, 2022)."""
    noise = torch.randn(x0.shape, generator=generator)
    abar = model.alphas_cumprod[timesteps].view(-1, 1, 1, 1)
    noisy = abar.sqrt() * x0 + (1 - abar).sqrt() * noise
    velocity = abar.sqrt() * noise - (1 - abar).sqrt() * x0
    with mixed_precision():
        predicted = model.unet(noisy, timesteps, model.text(ids).last_hidden_state)[0]
    return F.mse_loss(predicted.float(), velocity)
