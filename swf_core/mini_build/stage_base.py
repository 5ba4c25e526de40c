"""Stage "base": train UNet and text encoder together on cached latents of the painters' pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..models.mini.text import WordTokenizer
from ..models.mini.vae import NarrowAutoencoder
from ..models.precision import mixed_precision
from ..world import Look, Scene, caption
from .training_loop import Plan, Progress, StageSettings, train

BATCH = 64
# How many of a batch's 64 captions are full, style-stripped (on photos), style only, empty: first 56, 25, 9 and 9 %.
# "No style words" must be in distribution, or a style cannot be taught later by what a caption leaves out. Later stages
# have more empty captions (19 %): with no words for the style, it is read from the picture itself by self-attention,
# which is what style transfer relies on.
_FIRST = {"full": 36, "stripped": 16, "style": 6, "empty": 6}
_LATER = {"full": 34, "stripped": 12, "style": 6, "empty": 12}
# "paired": pairs by the same hand (`paired_attention`), so twice as many pictures. The one that is read has an empty
# caption; so have half of those that read, the others a caption with or without the style.
_PAIRED = {"full": 28, "stripped": 8, "style": 4, "paired": 12}
CAPTIONS = {"base-1": _FIRST, "base-2": _LATER, "base-3": _PAIRED}
# Styles that the samples of the stage before drew least well; the stage draws their pictures twice as often.
HARD = {"base-3": ("strokes", "oil", "ink", "pixel", "halftone")}
PLANS = {
    "base-1": Plan(steps=5200, learning_rate=1.2e-3, warm_up=200, floor=0.02, save_every=250, ema=0.998),
    "base-2": Plan(steps=5000, learning_rate=7e-4, warm_up=100, floor=0.02, save_every=250, ema=0.999),
    "base-3": Plan(steps=4400, learning_rate=6e-4, warm_up=100, floor=0.01, save_every=200, ema=0.999),
}


@dataclass(frozen=True)
class BaseModel:
    """What the stage trains, in place: UNet and text encoder; with the tokenizer and the noise schedule [T]."""

    unet: nn.Module
    text: nn.Module
    tokenizer: WordTokenizer
    alphas_cumprod: Tensor


@dataclass(frozen=True)
class LatentSet:
    """Latents [N, 4, 16, 16] and the scene and look of each; the last `partners` pair with as many first, in order."""

    latents: Tensor
    factors: Sequence[tuple[Scene, Look]]
    partners: int = 0


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
    np.save(path, latents.numpy())
    return latents


def train_base(model: BaseModel, data: LatentSet, stage: str, settings: StageSettings) -> dict[str, Any]:
    """Train both networks in place and return the loop's report. `stage`: a key of `PLANS` and `CAPTIONS`."""
    from .paired_attention import PairedAttentionProcessor

    shares, factors, seed = CAPTIONS[stage], data.factors, settings.seed
    pairs = shares.get("paired", 0)
    model.unet.set_attn_processor(PairedAttentionProcessor(pairs))  # pyright: ignore[reportCallIssue]
    model.unet.train()
    model.text.train()
    styles = np.array([look.style for _, look in factors[: len(factors) - data.partners]])
    photos = np.flatnonzero(styles == "photo")
    pool = np.concatenate([np.arange(len(styles)), np.flatnonzero(np.isin(styles, HARD.get(stage, ())))])

    def loss_of(step: int) -> Tensor:
        rng = np.random.default_rng([seed, step])
        index, captions = draw_batch(rng, factors, pool, photos, shares, data.partners)
        generator = torch.Generator().manual_seed(seed * 1_000_003 + step)
        x0 = data.latents[torch.from_numpy(index)]
        timesteps = torch.from_numpy(rng.integers(0, len(model.alphas_cumprod), len(index)))
        if pairs:
            timesteps[-pairs:] = timesteps[-2 * pairs : -pairs]  # a picture is read at its reader's noise level
        return v_loss(model, x0, timesteps, model.tokenizer(captions), generator)

    report = train({"unet": model.unet, "text": model.text}, loss_of, PLANS[stage], settings)
    model.unet.eval()
    model.text.eval()
    return report


def draw_batch(
    rng: np.random.Generator,
    factors: Sequence[tuple[Scene, Look]],
    pool: np.ndarray,
    photos: np.ndarray,
    shares: dict[str, int],
    partners: int = 0,
) -> tuple[np.ndarray, list[str]]:
    """Indices of a batch's pictures, and a caption for each, in the given shares of a batch.

    Drawn from the indices in `pool`; stripped captions from those in `photos`; pictures to read from those that have
    one of the `partners`, which follow them at the end.
    """
    index, captions = [], []
    for kind, count in shares.items():
        source = {"stripped": photos, "paired": pool[pool < partners]}.get(kind, pool)
        for i in source[rng.integers(0, len(source), count)]:
            index.append(int(i))
            captions.append("" if kind in ("empty", "paired") else caption(*factors[int(i)], kind=kind, rng=rng))
    for i in index[len(index) - shares.get("paired", 0) :]:
        reader = len(factors) - partners + i
        kind = str(rng.choice(("", "", "full", "stripped")))
        index.append(reader)
        captions.append(caption(*factors[reader], kind=kind, rng=rng) if kind else "")
    return np.array(index), captions


def v_loss(model: BaseModel, x0: Tensor, timesteps: Tensor, ids: Tensor, generator: torch.Generator) -> Tensor:
    """Mean squared error of the velocity v = sqrt(abar) eps - sqrt(1 - abar) x0 (Salimans and Ho, 2022)."""
    noise = torch.randn(x0.shape, generator=generator)
    abar = model.alphas_cumprod[timesteps].view(-1, 1, 1, 1)
    noisy = abar.sqrt() * x0 + (1 - abar).sqrt() * noise
    velocity = abar.sqrt() * noise - (1 - abar).sqrt() * x0
    with mixed_precision():
        predicted = model.unet(noisy, timesteps, model.text(ids).last_hidden_state).sample
    return F.mse_loss(predicted.float(), velocity)
