"""Stage "base": train UNet and text encoder together on cached latents of the painters' pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..models.mini.text import WordTokenizer
from ..models.mini.vae import NarrowAutoencoder
from ..models.precision import mixed_precision
from ..world import Look, Scene, caption
from .training_loop import Plan, Progress, train

BATCH = 64
# How many of a batch's 64 captions are full, style-stripped (on photos), style only, empty: first 56, 25, 9 and 9 %.
# "No style words" must be in distribution, or a style cannot be taught later by what a caption leaves out. Later stages
# see more empty captions (19 %): with no words to tell the style, it is read from the picture itself by self-attention,
# which is what style transfer leans on.
_FIRST = {"full": 36, "stripped": 16, "style": 6, "empty": 6}
_LATER = {"full": 34, "stripped": 12, "style": 6, "empty": 12}
# "reading": pairs by the same hand (`reading`), so twice as many pictures. The one that is read has no words; of those
# that read, half have none either, the others say their content with or without the style.
_READING = {"full": 28, "stripped": 8, "style": 4, "reading": 12}
CAPTIONS = {"base-1": _FIRST, "base-2": _LATER, "base-3": _READING}
# Styles that the samples of the stage before showed least well; the stage draws their pictures twice as often.
HARD = {"base-3": ("strokes", "oil", "ink", "pixel", "halftone")}
PLANS = {
    "base-1": Plan(steps=5200, learning_rate=1.2e-3, warm_up=200, floor=0.02, save_every=250, ema=0.998),
    "base-2": Plan(steps=5000, learning_rate=7e-4, warm_up=100, floor=0.02, save_every=250, ema=0.999),
    "base-3": Plan(steps=4400, learning_rate=6e-4, warm_up=100, floor=0.01, save_every=200, ema=0.999),
}


@torch.no_grad()
def encode_all(vae: NarrowAutoencoder, pictures: np.ndarray, path: Path, progress: Progress | None = None) -> Tensor:
    """Latents [N, 4, 16, 16] of uint8 pictures, kept in `path` beside the pictures."""
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


def run(
    unet: nn.Module,
    text: nn.Module,
    tokenizer: WordTokenizer,
    latents: Tensor,
    factors: Sequence[tuple[Scene, Look]],
    alphas_cumprod: Tensor,
    folder: Path,
    stage: str,
    seed: int,
    progress: Progress | None = None,
    seconds: float | None = None,
    partners: int = 0,
) -> dict[str, object]:
    """Train both networks in place on latents whose picture i has `factors[i]`. Returns the loop's report.

    `stage`: whose plan and captions, a key of `PLANS`. `partners`: how many pictures at the end are partners of as many
    at the beginning, in order.
    """
    from .paired_attention import ReadingProcessor

    unet.set_attn_processor(ReadingProcessor(CAPTIONS[stage].get("reading", 0)))  # pyright: ignore[reportCallIssue]
    unet.train()
    text.train()
    styles = np.array([look.style for _, look in factors[: len(factors) - partners]])
    photos = np.flatnonzero(styles == "photo")
    pool = np.concatenate([np.arange(len(styles)), np.flatnonzero(np.isin(styles, HARD.get(stage, ())))])

    def loss_of(step: int) -> Tensor:
        rng = np.random.default_rng([seed, step])
        index, captions = draw_batch(rng, factors, pool, photos, CAPTIONS[stage], partners)
        generator = torch.Generator().manual_seed(seed * 1_000_003 + step)
        x0 = latents[torch.from_numpy(index)]
        t = torch.from_numpy(rng.integers(0, len(alphas_cumprod), len(index)))
        if pairs := CAPTIONS[stage].get("reading", 0):
            t[-pairs:] = t[-2 * pairs : -pairs]  # a picture is read at its reader's noise level
        return v_loss(unet, text, x0, t, tokenizer(captions), alphas_cumprod, generator)

    report = train({"unet": unet, "text": text}, loss_of, PLANS[stage], folder, progress, seconds)
    unet.eval()
    text.eval()
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
        source = {"stripped": photos, "reading": pool[pool < partners]}.get(kind, pool)
        for i in source[rng.integers(0, len(source), count)]:
            index.append(int(i))
            captions.append("" if kind in ("empty", "reading") else caption(*factors[int(i)], kind=kind, rng=rng))
    for i in index[len(index) - shares.get("reading", 0) :]:
        reader = len(factors) - partners + i
        kind = str(rng.choice(("", "", "full", "stripped")))
        index.append(reader)
        captions.append(caption(*factors[reader], kind=kind, rng=rng) if kind else "")
    return np.array(index), captions


def v_loss(
    unet: nn.Module,
    text: nn.Module,
    x0: Tensor,
    t: Tensor,
    ids: Tensor,
    alphas_cumprod: Tensor,
    generator: torch.Generator,
) -> Tensor:
    """Mean squared error of the velocity v = sqrt(abar) eps - sqrt(1 - abar) x0 (Salimans and Ho, 2022)."""
    noise = torch.randn(x0.shape, generator=generator)
    abar = alphas_cumprod[t].view(-1, 1, 1, 1)
    noisy = abar.sqrt() * x0 + (1 - abar).sqrt() * noise
    velocity = abar.sqrt() * noise - (1 - abar).sqrt() * x0
    with mixed_precision():
        predicted = unet(noisy, t, text(ids).last_hidden_state).sample
    return F.mse_loss(predicted.float(), velocity)
