"""Batches and loss of the scene classifier: renders with turned hues, greyed, blurred and shifted at random."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ..measure.metrics.classifier import LABELS, ClassifierNetwork, views
from ..world import Look, Scene
from .degrade import degrade

MONOCHROME = ("sepia", "blue", "green", "rose")


def labels_of(scene: Scene, look: Look) -> dict[str, int]:
    """The right answers. Where one palette holds a single hue, color has no answer: -100, ignored by the loss."""
    tinted = look.palette.name in MONOCHROME
    answers = {
        "style": look.style,
        "object": scene.main.kind,
        "color": scene.main.color,
        "ground": scene.ground,
        "time": scene.time,
    }
    return {q: -100 if tinted and q in ("color", "ground", "time") else LABELS[q].index(a) for q, a in answers.items()}


def batch_loss(
    network: ClassifierNetwork,
    name: str,
    pictures: np.ndarray,
    labels: dict[str, np.ndarray],
    seed: int,
    step: int,
    size: int,
) -> Tensor:
    """Cross-entropy of one augmented batch, drawn by (seed, step) from uint8 pictures [N, H, W, 3]."""
    rng = np.random.default_rng([seed, step])
    index = np.sort(rng.choice(len(pictures), size, replace=False))
    batch = torch.from_numpy(pictures[index]).permute(0, 3, 1, 2).float() / 255
    with torch.autocast("cpu", enabled=False):  # half precision is for the network alone
        batch = augment(batch, rng, hue=name == "structure")
    out = network(views(name, batch))
    losses = [
        F.cross_entropy(logits, torch.from_numpy(labels[q][index]), label_smoothing=0.03, ignore_index=-100)
        for q, logits in out.items()
    ]
    return torch.stack(losses).sum()


def augment(batch: Tensor, rng: np.random.Generator, hue: bool) -> Tensor:
    """Flip, shift, zoom, noise, contrast; with `hue` also turned hues, grey pictures and lost detail (`degrade`)."""
    b = len(batch)
    if hue:
        mix = torch.from_numpy(rng.dirichlet([0.6] * 3, (b, 3))).float()  # random mixtures of the channels
        mix = 0.5 * torch.eye(3)[torch.from_numpy(np.stack([rng.permutation(3) for _ in range(b)]))] + 0.5 * mix
        batch = torch.einsum("brc,bchw->brhw", mix, batch)
        grey = torch.from_numpy(rng.random(b) < 0.25)[:, None, None, None]
        batch = torch.where(grey, batch.mean(1, keepdim=True).expand_as(batch), batch)
    gain = torch.from_numpy(rng.uniform(0.8, 1.2, (b, 1, 1, 1))).float()
    lift = torch.from_numpy(rng.uniform(-0.08, 0.08, (b, 1, 1, 1))).float()
    batch = (batch - 0.5) * gain + 0.5 + lift
    flip = torch.from_numpy(rng.random(b) < 0.5)[:, None, None, None]
    batch = torch.where(flip, batch.flip(-1), batch)
    # Shift and zoom a little by resampling, which blurs as well.
    theta = torch.zeros(b, 2, 3)
    theta[:, 0, 0] = theta[:, 1, 1] = torch.from_numpy(rng.uniform(0.86, 1.0, b)).float()
    theta[:, :, 2] = torch.from_numpy(rng.uniform(-0.1, 0.1, (b, 2))).float()
    grid = F.affine_grid(theta, list(batch.shape), align_corners=False)
    batch = F.grid_sample(batch, grid, padding_mode="reflection", align_corners=False)
    if hue:
        batch = degrade(batch, rng)
    generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
    deviation = torch.from_numpy(rng.uniform(0, 0.05, (b, 1, 1, 1))).float()
    noise = torch.randn(batch.shape, generator=generator) * deviation
    return (batch + noise).clamp(0, 1).contiguous(memory_format=torch.channels_last)
