"""The reference processes of a sampling in ComfyUI: a picture's latents along the noise levels, and their features."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import comfy.model_management as mm
import comfy.utils
import torch
from torch import Tensor

from ....swf_core.errors import UserError
from ....swf_core.transfer import inversion
from ....swf_core.transfer.features import FeatureBank
from ....swf_core.transfer.trajectory import Encoding, Trajectory
from .denoiser import HostDenoiser, PlainConditioning
from .plan import LatentSource, Source


def trajectory_of(
    source: Source,
    denoiser: HostDenoiser,
    text: PlainConditioning,
    sigmas: Sequence[float],
    name: str,
    clean_at: float = 0.0,
) -> Trajectory:
    """A source's trajectory up the rising `sigmas` (without 0); evaluations of an inversion happen here.

    `clean_at`: the level that the clean latent is taken to be at.
    """
    if not isinstance(source, LatentSource):
        return source.trajectory
    clean = denoiser.model.process_latent_in(source.latents.float()).to(denoiser.device)
    return invert(denoiser, text, clean, sigmas, source.encoding, name, clean_at=clean_at)


def invert(
    denoiser: HostDenoiser,
    text: PlainConditioning,
    clean: Tensor,
    sigmas: Sequence[float],
    encoding: Encoding,
    name: str,
    callback: Callable[..., None] | None = None,
    *,
    clean_at: float = 0.0,
) -> Trajectory:
    """The trajectory of clean latents in the model's scale, with progress and cancel; `name` stands in errors.

    `callback`: the host's, called with (step, x0, x, steps) instead of a progress bar without preview.
    """
    if not torch.isfinite(clean).all():
        raise UserError(f"The {name} latents hold NaN or infinite values; encode the picture again.")
    generator = torch.Generator("cpu").manual_seed(encoding.seed)
    noise = torch.randn((1, *clean.shape[1:]), generator=generator).to(clean).expand_as(clean)
    total, done = max(1, encoding.evaluations(len(sigmas))), 0
    bar = None if callback or encoding.kind == "stochastic" else comfy.utils.ProgressBar(total)

    def evaluate(x: Tensor, sigma: float, own_point: bool) -> Tensor:
        nonlocal done
        mm.throw_exception_if_processing_interrupted()
        x0 = denoiser.denoise(x, sigma, text)
        done += 1
        if callback:
            callback(min(done, total) - 1, x0, x, total)
        elif bar:
            bar.update(1)
        return x0

    smallest = float(denoiser.sigmas[0])
    return inversion.invert(encoding, evaluate, clean, sigmas, noise=noise, smallest=smallest, clean_at=clean_at)


class ReferenceProcess:
    """One reference process of a sampling: its features at any noise level, on demand (the core's `StyleProcess`).

    `cache_bytes`: features of all levels stay in the bank while they need less than this; else of the last two.
    `weights`: puts the weights it runs with in place for the time of a call, where they are not generation's.
    """

    def __init__(
        self,
        denoiser: HostDenoiser,
        text: PlainConditioning,
        trajectory: Trajectory,
        bank: FeatureBank,
        cache_bytes: int = 0,
        weights: Callable[[], AbstractContextManager[Any]] = nullcontext,
    ):
        self.denoiser, self.text, self.trajectory, self.bank = denoiser, text, trajectory, bank
        self.weights, self._cache_bytes = weights, cache_bytes
        self._read_levels: list[float] = []

    def ensure(self, *sigmas: float) -> None:
        """Have the features of these levels in the bank; the level before stays too: some samplers return to it."""
        missing = [sigma for sigma in sigmas if not self.bank.has(sigma)]
        if not missing:
            return
        with self.weights():
            for sigma in missing:
                mm.throw_exception_if_processing_interrupted()
                self.denoiser.denoise(self.trajectory.at(sigma), sigma, self.text, self.bank.recorder(sigma))
        self._read_levels += missing
        if self.bank.size_bytes() <= self._cache_bytes:
            return
        for old in self._read_levels[:-2]:
            self.bank.forget(old)
        self._read_levels = self._read_levels[-2:]

    def latent_at(self, sigma: float) -> Tensor:
        """The process's own latent at `sigma`, float32 on the sampling's device."""
        return self.trajectory.at(sigma).to(self.denoiser.device, torch.float32)

    def statistics_at(self, sigma: float) -> Tensor:
        """The latent whose channel statistics stand for the picture's tones at `sigma`, float32 on the sampling's
        device."""
        return self.trajectory.for_statistics(sigma).to(self.denoiser.device, torch.float32)
