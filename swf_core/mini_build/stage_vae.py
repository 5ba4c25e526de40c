"""Stage "vae": train the autoencoder on all painters and on real photographs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ..models.mini.vae import NarrowAutoencoder
from ..models.precision import mixed_precision
from ..pictures.held_back import refuse_held_back
from .training_loop import Plan, StageSettings, train

BATCH, CROP = 16, 64
# Shares of a batch: the training set, the held-out styles (only the diffusion model must not see them),
# real photographs.
SHARES = (0.70, 0.20, 0.10)
PLAN = Plan(steps=8000, learning_rate=2e-3, warm_up=150, floor=0.005, save_every=500)


def real_photographs() -> list[np.ndarray]:
    """Photographs that come with scikit-image and scikit-learn, as uint8 [H, W, 3]; the demo's own are left out."""
    import skimage.data
    from sklearn.datasets import load_sample_images

    folder = Path(skimage.data.__file__).parent
    names = (
        "astronaut.png",
        "rocket.jpg",
        "hubble_deep_field.jpg",
        "ihc.png",
        "motorcycle_left.png",
        "retina.jpg",
        "color.png",
    )
    from PIL import Image

    pictures = [np.asarray(Image.open(folder / n).convert("RGB")) for n in names if (folder / n).exists()]
    return pictures + [np.asarray(image) for image in load_sample_images().images]


def train_autoencoder(
    train_set: np.ndarray, held_out_set: np.ndarray, photographs: Sequence[np.ndarray], settings: StageSettings
) -> tuple[NarrowAutoencoder, dict[str, Any]]:
    """Train from nothing and return the autoencoder and the training's report.

    Raises UserError for a photograph that is kept for tests.
    """
    refuse_held_back(photographs)
    seed = settings.seed
    torch.manual_seed(seed)
    model = NarrowAutoencoder()
    model.to(memory_format=torch.channels_last).train()  # pyright: ignore[reportCallIssue]
    # Photographs are cropped at half and full size, so that crops hold both objects and texture.
    photos = [p[::k, ::k] for p in photographs for k in (1, 2) if min(p[::k, ::k].shape[:2]) >= CROP]

    def loss_of(step: int) -> Tensor:
        rng = np.random.default_rng([seed, step])
        generator = torch.Generator().manual_seed(seed * 1_000_003 + step)
        batch = crops((train_set, held_out_set, photos), rng).to(memory_format=torch.channels_last)
        with mixed_precision():
            latents = model.encode(batch)
            # Latent noise makes the decoder forgive small errors, as it must after a diffusion model.
            result = model.decode(latents + 0.03 * torch.randn(latents.shape, generator=generator))
        return reconstruction_loss(result.float(), batch) + 0.02 * whiteness(latents.float())

    report = train({"vae": model}, loss_of, PLAN, settings)
    return model.eval(), report


def crops(sources: tuple[np.ndarray, np.ndarray, Sequence[np.ndarray]], rng: np.random.Generator) -> Tensor:
    """A batch of random crops [B, 3, 64, 64] in 0..1, flipped at random."""
    out = []
    for _ in range(BATCH):
        source = sources[int(rng.choice(3, p=SHARES))]
        picture = source[int(rng.integers(len(source)))]
        y, x = (int(rng.integers(0, size - CROP + 1)) for size in picture.shape[:2])
        crop = picture[y : y + CROP, x : x + CROP]
        out.append(crop[:, ::-1] if rng.random() < 0.5 else crop)
    return torch.from_numpy(np.stack(out)).permute(0, 3, 1, 2).float() / 255


def reconstruction_loss(result: Tensor, target: Tensor) -> Tensor:
    """Absolute error, that of the gradients (edges are what style is made of), and that of the 8x8 means (color)."""
    error = result - target
    edges = error.diff(dim=-1).abs().mean() + error.diff(dim=-2).abs().mean()
    return error.abs().mean() + 0.5 * edges + 0.5 * F.avg_pool2d(error, 8).abs().mean() + error.square().mean()


def whiteness(latents: Tensor) -> Tensor:
    """How far each latent channel is from mean 0 and variance 1: then no scaling factor is needed."""
    mean, std = latents.mean((0, 2, 3)), latents.std((0, 2, 3))
    return mean.square().mean() + (std + 1e-6).log().square().mean()
