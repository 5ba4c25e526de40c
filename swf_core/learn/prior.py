"""Prior preservation (DreamBooth, arXiv 2208.12242): the loss on pictures that the plain model made by itself."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ..files import write_files
from ..models.contracts import Backend, Trainable, join
from ..pictures import load, png_bytes
from ..transfer import SampleOptions, sample
from .latent_cache import PRIOR, Batch, encode_pictures
from .losses import denoising_loss, draw_noise, draw_timesteps
from .options import TrainOptions
from .run import Run


class Prior:
    """Pictures by `plain`, the model without the LoRA, made once and kept in the run's folder `prior`."""

    def __init__(self, run: Run, plain: Backend, options: TrainOptions):
        self.options = options
        prompts = [run.prompts[k % len(run.prompts)].prompt for k in range(options.prior_count)]
        paths = [run.folder / "prior" / f"{k:03d}.png" for k in range(options.prior_count)]
        missing = [k for k, path in enumerate(paths) if not path.exists()]
        sampling = SampleOptions(steps=options.sample_steps, cfg=options.sample_cfg)
        for k in missing:
            result = sample(plain, [prompts[k]], sampling, seed=7000 + k)
            write_files({paths[k]: png_bytes(result.images[0])})
        pictures = [load(path).pixels for path in paths]
        self.latents = torch.cat([encode_pictures(plain, p[None]) for p in pictures])
        size = (int(pictures[0].shape[-2]), int(pictures[0].shape[-1]))
        with torch.no_grad():
            self.texts = [plain.text.encode([text], *size) for text in prompts]

    def loss(self, network: Trainable, step: int, part: int) -> Tensor:
        """The loss on a batch of the plain model's pictures."""
        options = self.options
        rng = np.random.default_rng([options.seed, PRIOR, step, part])
        rows = rng.integers(0, len(self.latents), options.batch)
        batch = Batch(self.latents[torch.from_numpy(rows)], join([self.texts[r] for r in rows]))
        seeds = (step, part, PRIOR)
        timesteps = draw_timesteps(options, len(network.sigmas), len(rows), seeds)
        noise = draw_noise(options, batch.latents, seeds)
        return denoising_loss(network, batch, timesteps, noise, options.loss, options.min_snr)
