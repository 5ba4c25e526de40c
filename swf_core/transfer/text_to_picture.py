"""Pictures from prompts alone: plain sampling, without a transfer."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from ..errors import UserError
from ..models.contracts import Backend, Steering
from . import randomness
from .cost import Cost, Meter, Progress
from .inputs import Models
from .noisy_steps import NOISY_SOLVERS, end_of, noisy_steps
from .options import check_window
from .sampler import Guidance, Steered, run_sampler
from .sigmas import schedule, vp_scale


@dataclass(frozen=True)
class SampleOptions:
    """How pictures are sampled from prompts.

    * steps, spacing: the noise levels (`sigmas.schedule`).
    * cfg: classifier-free guidance; 1 is none and costs no second evaluation. cfg_detail: 0..1, how far it is held to
      detail (`detail_guidance`).
    * size_px: a side, or (height, width); None is the model's native size.
    * batch: most pictures in one network call.
    * guidance_low, guidance_high: noise levels between which cfg acts, ends included; elsewhere it costs nothing.
    * solver: "euler" (DDIM), or one that adds fresh noise at every step (`noisy_steps`).
    """

    steps: int = 30
    cfg: float = 4.0
    size_px: int | tuple[int, int] | None = None
    spacing: str = "leading"
    batch: int = 8
    cfg_detail: float = 0.0
    solver: str = "euler"
    guidance_low: float = 0.0
    guidance_high: float = math.inf

    def __post_init__(self) -> None:
        check_window(self.guidance_low, self.guidance_high)
        if self.solver not in ("euler", *NOISY_SOLVERS):
            raise UserError(f"solver is {self.solver!r}; use one of {', '.join(('euler', *NOISY_SOLVERS))}.")


@dataclass(frozen=True)
class SampleResult:
    """`images`: list of [3, H, W] in 0..1; `latents`: list of [C, h, w]; `cost` in E; `seconds` of wall clock."""

    images: list[Tensor]
    latents: list[Tensor]
    cost: Cost
    seconds: float


def sample(
    models: Models | Backend,
    prompts: Sequence[str],
    options: SampleOptions | None = None,
    *,
    negative: str = "",
    seed: int = 0,
    start: Tensor | None = None,
    steering: Steering | None = None,
    progress: Progress | None = None,
) -> SampleResult:
    """Pictures from prompts, one each, by the options' solver with classifier-free guidance.

    `models`: the model, or `Models` with another one for the unconditional branch. `start`: latents
    [len(prompts), C, h, w] at the first level instead of noise from `seed` (picture i has its own noise, whatever its
    batch). `steering` moves x0 on the way (say `swf_core.color.guidance.ColorGuidance`). It costs `steps` E per picture
    at cfg 1, else once more for each step that is guided.
    Raises ValueError (UserError) for a size or step count that is not allowed.
    """
    began = time.perf_counter()
    models, options = Models.of(models), options or SampleOptions()
    backend, cfg, meter = models.generation, options.cfg, Meter(progress)
    height, width = _size(backend, options.size_px)
    table = backend.denoiser.sigmas
    levels, end = schedule(table, options.steps, options.spacing), end_of(options.solver, table)

    def guides_at(sigma: float) -> bool:
        return options.guidance_low <= sigma <= options.guidance_high

    if start is None:
        start = _start_noise(backend, (height, width), len(prompts), seed) * levels[0]
    meter.plan("sampling", len(prompts), sum(2 if cfg != 1.0 and guides_at(sigma) else 1 for sigma in levels))
    without_text = backend.text.encode([negative], height, width)
    unconditional = None if models.unconditional is None else models.unconditional.denoiser
    images: list[Tensor] = []
    latents: list[Tensor] = []
    for first in range(0, len(prompts), options.batch):
        texts = list(prompts[first : first + options.batch])
        positive = backend.text.encode(texts, height, width)
        guidance = Guidance(backend.denoiser, positive, without_text, cfg, unconditional, options.cfg_detail, guides_at)
        steered = Steered([steering] if steering else [], backend, len(texts), (height, width), levels, meter)
        begin = start[first : first + options.batch].to(backend.denoiser.device)
        seeds = [randomness.stream_seed(seed, randomness.SAMPLE, first + row) for row in range(len(texts))]
        reached = run_sampler(
            lambda x, sigma, g=guidance, s=steered: s.x0(g.both(meter, x, sigma), meter, x, sigma),
            [begin],
            levels,
            end=end,
            noisy=noisy_steps(options.solver, table, levels, partial(_step_noise, begin, seeds)),
            on_x0=meter.report,
        )
        clean = reached / vp_scale(end)
        images += list(backend.codec.decode(clean))
        latents += list(clean)
    return SampleResult(images, latents, meter.cost(), time.perf_counter() - began)


def _size(backend: Backend, size_px: int | tuple[int, int] | None) -> tuple[int, int]:
    size = backend.native_size_px if size_px is None else size_px
    height, width = size if isinstance(size, tuple) else (size, size)
    cell = backend.codec.downscale
    if height % cell or width % cell or min(height, width) < cell:
        raise UserError(f"The size {width} x {height} was asked for; sides must be multiples of {cell} px.")
    return height, width


def _step_noise(latents: Tensor, seeds: Sequence[int], index: int) -> Tensor:
    """Unit noise of step `index`, a draw for each row of `latents` [B, C, h, w] by its own seed."""
    return randomness.noise_like(latents, seeds, randomness.STEP, index)


def _start_noise(backend: Backend, size_px: tuple[int, int], count: int, seed: int) -> Tensor:
    """Unit noise [count, C, h, w], each row from its own stream."""
    cell = backend.codec.downscale
    cells = (size_px[0] // cell, size_px[1] // cell)
    empty = torch.zeros((1, backend.codec.channels, *cells), device=backend.denoiser.device)
    rows = [randomness.noise_like(empty, seed, randomness.SAMPLE, index) for index in range(count)]
    return torch.cat(rows) if rows else empty[:0]
