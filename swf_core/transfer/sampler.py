"""The sampler's loop and classifier-free guidance; and plain sampling from text through the same loop."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import UserError
from ..models.contracts import AttentionEdit, Backend, Conditioning, Denoiser, Steering, join
from . import randomness
from .cost import Cost, Meter, Progress
from .sigmas import schedule
from .trajectory import bdia_step


def run_sampler(
    evaluate: Callable[[Tensor, float], Tensor],
    start: Sequence[Tensor],
    levels: Sequence[float],
    *,
    end: float = 0.0,
    solver: str = "euler",
    on_x0: Callable[[Tensor], None] | None = None,
) -> Tensor:
    """Go down the falling `levels` to `end` with x0 = evaluate(x, sigma).

    "euler" starts from start[0] at levels[0] and evaluates at every level; it is DDIM with eta 0. "bdia" (gamma 1, see
    `trajectory.invert_bdia`) starts from start[0] at levels[0] and start[1] at levels[1] and evaluates at all but the
    first. Returns the latent at `end`, float32.
    """
    if solver == "euler":
        x = start[0].float()
        for here, there in zip(levels, [*levels[1:], end]):
            x0 = evaluate(x, here)
            x = x0 if there == 0.0 else x + (there - here) * (x - x0) / here
            if on_x0 is not None:
                on_x0(x0)
        return x
    above, here_x = start[0].double(), start[1].double()
    for higher, here, there in zip(levels, levels[1:], [*levels[2:], end]):
        x0 = evaluate(here_x.float(), here)
        above, here_x = here_x, bdia_step(above, here_x, x0.double(), higher, here, there)
        if on_x0 is not None:
            on_x0(x0)
    return here_x.float()


@dataclass(frozen=True)
class Guidance:
    """Who predicts: `denoiser` with `positive`; and, unless `cfg` is 1, `unconditional` with `negative`.

    The unconditional branch may be another denoiser (the base model without a LoRA): asymmetric guidance.
    """

    denoiser: Denoiser
    positive: Conditioning
    negative: Conditioning | None = None
    cfg: float = 1.0
    unconditional: Denoiser | None = None

    def x0(self, meter: Meter, x: Tensor, sigma: float, edit: AttentionEdit | None = None) -> Tensor:
        """x0 for rows `x` [B, C, h, w]; both halves get the same edit. E: B, or 2B with guidance."""
        return self.both(meter, x, sigma, edit)[0]

    def both(self, meter: Meter, x: Tensor, sigma: float, edit: AttentionEdit | None = None) -> tuple[Tensor, Tensor]:
        """x0 with guidance, and x0 under `positive` alone."""
        rows = x.shape[0]
        positive = self.positive.repeat(rows)
        if self.cfg == 1.0 or self.negative is None:
            plain = meter.denoise(self.denoiser, x, sigma, positive, edit)
            return plain, plain
        negative = self.negative.repeat(rows)
        if self.unconditional is None or self.unconditional is self.denoiser:
            both = meter.denoise(self.denoiser, torch.cat([x, x]), sigma, join([negative, positive]), edit)
            without, with_text = both.chunk(2)
        else:
            with_text = meter.denoise(self.denoiser, x, sigma, positive, edit)
            without = meter.denoise(self.unconditional, x, sigma, negative, edit)
        return without + self.cfg * (with_text - without), with_text


class Steered:
    """A `Steering` through one sampling of `rows` pictures of a size; None steers nothing and costs nothing."""

    def __init__(
        self,
        steering: Steering | None,
        backend: Backend,
        rows: int,
        size_px: tuple[int, int],
        levels: Sequence[float],
        meter: Meter,
    ):
        self.steering, self.denoiser = steering, backend.denoiser
        self.steer = None if steering is None else steering.begin()
        prompts = [] if steering is None else list(steering.prompts)
        self.texts = [backend.text.encode([text], *size_px).repeat(rows) for text in prompts]
        if steering is not None and prompts:
            meter.plan("color concepts", rows * len(prompts), sum(steering.active(sigma) for sigma in levels))

    def x0(
        self, guided: tuple[Tensor, Tensor], meter: Meter, x: Tensor, sigma: float, edit: AttentionEdit | None = None
    ) -> Tensor:
        """`guided` (see `Guidance.both`), steered; the texts are asked with the same edit as generation was."""
        x0, positive = guided
        if self.steering is None or self.steer is None or not self.steering.active(sigma):
            return x0
        told = [meter.denoise(self.denoiser, x, sigma, text, edit) for text in self.texts]
        return self.steer(x0, positive, told)


@dataclass(frozen=True)
class SampleResult:
    """`images`: list of [3, H, W] in 0..1; `latents`: list of [C, h, w]; `cost` in E; `seconds` of wall clock."""

    images: list[Tensor]
    latents: list[Tensor]
    cost: Cost
    seconds: float


def sample(
    backend: Backend,
    prompts: Sequence[str],
    *,
    steps: int = 30,
    cfg: float = 4.0,
    negative: str = "",
    size_px: int | tuple[int, int] | None = None,
    seed: int = 0,
    spacing: str = "leading",
    start: Tensor | None = None,
    unconditional_model: Backend | None = None,
    steering: Steering | None = None,
    batch: int = 8,
    progress: Progress | None = None,
) -> SampleResult:
    """Pictures from prompts, one each, by Euler (DDIM) with classifier-free guidance.

    `size_px`: a side, or (height, width); None is the model's native size; sides must be multiples of the codec's
    downscale. `start`: latents [len(prompts), C, h, w] at the first level instead of noise from `seed` (picture i has
    its own noise, whatever its batch). cfg 1 costs steps E per picture, else twice that. `steering` moves x0 on the
    way (say `swf_core.color.guidance.ColorGuidance`).
    Raises ValueError (UserError) for a size or step count that is not allowed.
    """
    began = time.perf_counter()
    size = backend.native_size_px if size_px is None else size_px
    height, width = size if isinstance(size, tuple) else (size, size)
    cell = backend.codec.downscale
    if height % cell or width % cell or min(height, width) < cell:
        raise UserError(f"The size {width} x {height} was asked for; sides must be multiples of {cell} px.")
    levels = schedule(backend.denoiser.sigmas, steps, spacing)
    device = backend.denoiser.device
    if start is None:
        empty = torch.zeros((1, backend.codec.channels, height // cell, width // cell), device=device)
        drawn = [randomness.noise_like(empty, seed, randomness.SAMPLE, index) for index in range(len(prompts))]
        start = torch.cat(drawn) * levels[0] if drawn else empty[:0]
    meter = Meter(progress)
    meter.plan("sampling", len(prompts), steps * (1 if cfg == 1.0 else 2))
    nothing = backend.text.encode([negative], height, width)
    other = None if unconditional_model is None else unconditional_model.denoiser
    images: list[Tensor] = []
    latents: list[Tensor] = []
    for first in range(0, len(prompts), batch):
        texts = list(prompts[first : first + batch])
        guidance = Guidance(backend.denoiser, backend.text.encode(texts, height, width), nothing, cfg, other)
        steered = Steered(steering, backend, len(texts), (height, width), levels, meter)
        clean = run_sampler(
            lambda x, sigma, g=guidance, s=steered: s.x0(g.both(meter, x, sigma), meter, x, sigma),
            [start[first : first + batch].to(device)],
            levels,
            on_x0=meter.report,
        )
        images += list(backend.codec.decode(clean))
        latents += list(clean)
    return SampleResult(images, latents, meter.cost(), time.perf_counter() - began)
