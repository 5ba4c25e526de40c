"""Prior preservation (DreamBooth, arXiv 2208.12242): the loss on pictures that the plain model made by itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..files import write_files
from ..models.contracts import Backend, Trainable, join
from ..pictures import load, png_bytes
from ..transfer import SampleOptions, sample
from .latent_cache import PRIOR, Batch, encode_pictures
from .losses import denoising_loss, draw_levels, draw_noise
from .options import TrainOptions
from .run import Run


def make_pictures(run: Run, plain: Backend, options: TrainOptions, progress: Callable[..., None] | None = None) -> None:
    """Let `plain`, the model without the LoRA, make the pictures that are missing in the run's folder `prior`.

    `progress`: called while they are made; it may raise.
    """
    sampling = SampleOptions(steps=options.sample_steps, cfg=options.sample_cfg)
    for k, (path, prompt) in enumerate(_files(run, options)):
        if not path.exists():
            result = sample(plain, [prompt], sampling, seed=7000 + k, progress=progress)
            write_files({path: png_bytes(result.images[0])})


def _files(run: Run, options: TrainOptions) -> list[tuple[Path, str]]:
    prompts = [run.prompts[k % len(run.prompts)].prompt for k in range(options.prior_count)]
    return [(run.folder / "prior" / f"{k:03d}.png", prompt) for k, prompt in enumerate(prompts)]


class Prior:
    """The pictures that `make_pictures` made, kept in the run's folder: their latents and texts."""

    def __init__(self, run: Run, plain: Backend, options: TrainOptions):
        self.options = options
        files = _files(run, options)
        pictures = [load(path).pixels for path, _ in files]
        self.latents = torch.cat([encode_pictures(plain, p[None]) for p in pictures])
        size = (int(pictures[0].shape[-2]), int(pictures[0].shape[-1]))
        with torch.no_grad():
            self.texts = [plain.text.encode([text], *size) for _, text in files]

    def loss(self, network: Trainable, step: int, part: int, own: Sequence[int] | None = None) -> Tensor:
        """The mean loss on a batch of the plain model's pictures; `own`: on these of its rows alone."""
        options = self.options
        rng = np.random.default_rng([options.seed, PRIOR, step, part])
        rows = rng.integers(0, len(self.latents), options.batch)
        batch = Batch(self.latents[torch.from_numpy(rows)], join([self.texts[r] for r in rows]))
        seeds = (step, part, PRIOR)
        timesteps = draw_levels(network, options, len(rows), seeds)
        noise = draw_noise(options, batch.latents, seeds)
        if own is not None:
            batch, timesteps, noise = batch.pick(own), timesteps[list(own)], noise[list(own)]
        return denoising_loss(network, batch, timesteps, noise, options.loss, options.min_snr)
