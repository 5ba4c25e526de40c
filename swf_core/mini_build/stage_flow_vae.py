"""Stages "flow-vae-*": mini-flow's autoencoder of 16 channels, on the world, real photographs and real paintings.

The first stage begins with mini's autoencoder, whose 4 latent channels are joined by 12 new ones; each later stage with
the weights of the stage before. What is asked for is PSNR, so the loss is
the root of each crop's squared error: its gradient weighs hard and easy crops as their decibels do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from ..models.mini.vae import NarrowAutoencoder, from_taesd
from ..models.precision import mixed_precision
from ..pictures.held_back import refuse_held_back
from .stage_vae import whiteness
from .training_loop import Plan, StageSettings, train

LATENT_CHANNELS = 16
# Real pictures are seen as wholes of this many px at the short side, the logarithm even: 256 px is what is measured.
VIEW_PX = (176, 720)
LATENT_NOISE = 0.03
WHITENESS_WEIGHT = 0.02


@dataclass(frozen=True)
class FlowVaeStage:
    """Pace, batch and crop of a stage, and the weight of the edges beside the squared error."""

    plan: Plan
    batch: int
    crop: int
    edges: float


# Each fits 90 minutes on two idle cores with AMX: 0.15 s a step at 16 crops of 64 px.
FLOW_VAE_STAGES = {
    "flow-vae-1": FlowVaeStage(Plan(12000, 1.5e-3, warm_up=200, floor=0.05, save_every=100), 16, 64, 0.25),
    "flow-vae-2": FlowVaeStage(Plan(16000, 1e-3, warm_up=200, floor=0.05, save_every=100, ema=0.999), 16, 64, 0.1),
    "flow-vae-3": FlowVaeStage(Plan(8000, 5e-4, warm_up=200, floor=0.0, save_every=50, ema=0.999), 8, 128, 0.05),
}
# Shares of a batch.
SHARES = {"photograph": 0.45, "painting": 0.20, "world": 0.35}


@dataclass(frozen=True)
class FlowVaePictures:
    """What the autoencoder learns from: sets of world pictures uint8 [N, S, S, 3], and real pictures [H, W, 3]."""

    world: Sequence[np.ndarray]
    photographs: Sequence[np.ndarray]
    paintings: Sequence[np.ndarray]

    def without_tests(self) -> FlowVaePictures:
        """These pictures. Raises UserError when a real one is kept for tests."""
        refuse_held_back([*self.photographs, *self.paintings])
        return self


def begin_with(taesd: dict[str, Tensor]) -> NarrowAutoencoder:
    """An autoencoder of 16 channels that begins as a file in TAESD's layout, which may have fewer channels.

    Latent channels that the file has not are drawn as a new network's are, from torch's generator.
    """
    model, stored = NarrowAutoencoder(latent_channels=LATENT_CHANNELS), from_taesd(taesd).state_dict()
    state = model.state_dict()
    for name, value in state.items():
        value[tuple(slice(0, size) for size in stored[name].shape)] = stored[name]
    model.load_state_dict(state)
    return model


def train_flow_vae(
    model: NarrowAutoencoder, pictures: FlowVaePictures, stage: str, settings: StageSettings
) -> dict[str, Any]:
    """Train the autoencoder in place and return the training's report; on return it is in evaluation mode."""
    return train_by(model, pictures, FLOW_VAE_STAGES[stage], settings)


def train_by(
    model: NarrowAutoencoder, pictures: FlowVaePictures, stage: FlowVaeStage, settings: StageSettings
) -> dict[str, Any]:
    """`train_flow_vae` by the given recipe. Raises UserError for a picture that is kept for tests."""
    pictures, seed = pictures.without_tests(), settings.seed
    model.to(memory_format=torch.channels_last).train()  # pyright: ignore[reportCallIssue]

    def loss_of(step: int) -> Tensor:
        rng = np.random.default_rng([seed, step])
        generator = torch.Generator().manual_seed(seed * 1_000_003 + step)
        batch = crops(pictures, stage.batch, stage.crop, rng).to(memory_format=torch.channels_last)
        with mixed_precision():
            latents = model.encode(batch)
            # Latent noise makes the decoder forgive small errors, as it must after a diffusion model.
            result = model.decode(latents + LATENT_NOISE * torch.randn(latents.shape, generator=generator))
        return decibel_loss(result.float(), batch, stage.edges) + WHITENESS_WEIGHT * whiteness(latents.float())

    report = train({"vae": model}, loss_of, stage.plan, settings)
    model.eval()
    return report


def decibel_loss(result: Tensor, target: Tensor, edges: float) -> Tensor:
    """Root of the squared error of each crop, the absolute error of the gradients, and that of the 8x8 means."""
    error = result - target
    root = (error.square().mean((1, 2, 3)) + 1e-6).sqrt().mean()
    gradients = error.diff(dim=-1).abs().mean() + error.diff(dim=-2).abs().mean()
    return root + edges * (gradients + F.avg_pool2d(error, 8).abs().mean())


def crops(pictures: FlowVaePictures, count: int, side: int, rng: np.random.Generator) -> Tensor:
    """A batch of random crops [count, 3, side, side] in 0..1, flipped at random."""
    out = []
    for kind in rng.choice(list(SHARES), count, p=list(SHARES.values())):
        if kind == "world":
            of_size = pictures.world[int(rng.integers(len(pictures.world)))]
            crop = _cut(of_size[int(rng.integers(len(of_size)))], side, rng)
        else:
            real = pictures.photographs if kind == "photograph" else pictures.paintings
            crop = _view(real[int(rng.integers(len(real)))], side, rng)
        out.append(crop[:, ::-1] if rng.random() < 0.5 else crop)
    return torch.from_numpy(np.stack(out)).permute(0, 3, 1, 2).float() / 255


def _cut(picture: np.ndarray, side: int, rng: np.random.Generator) -> np.ndarray:
    """A random square of a picture, in its own size."""
    y, x = (int(rng.integers(0, size - side + 1)) for size in picture.shape[:2])
    return picture[y : y + side, x : x + side]


def _view(picture: np.ndarray, side: int, rng: np.random.Generator) -> np.ndarray:
    """A random square of a picture as it would be with a random short side of `VIEW_PX`, never enlarged."""
    short = min(picture.shape[:2])
    low, high = max(VIEW_PX[0], side), min(VIEW_PX[1], short)
    view_px = float(np.exp(rng.uniform(np.log(low), np.log(max(low, high)))))
    span = min(short, round(side * max(1.0, short / view_px)))
    square = _cut(picture, span, rng)
    if span == side:
        return square
    return np.asarray(Image.fromarray(square).resize((side, side), Image.Resampling.LANCZOS, reducing_gap=3))


def shortened(stage: FlowVaeStage, steps: int, batch: int) -> FlowVaeStage:
    """The stage's recipe in fewer steps and smaller batches, to try it."""
    plan = replace(stage.plan, steps=steps, warm_up=min(stage.plan.warm_up, steps), save_every=steps)
    return replace(stage, plan=plan, batch=batch)
