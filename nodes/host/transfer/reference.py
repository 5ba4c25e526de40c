"""The reference processes of a sampling in ComfyUI: a picture's latents along the noise levels, and what they show."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import comfy.model_management as mm
import comfy.utils
import torch
from torch import Tensor

from ....swf_core.errors import UserError
from ....swf_core.transfer.features import FeatureBank
from ....swf_core.transfer.trajectory import Trajectory, encode_stochastic, invert_bdia, invert_ddim
from .denoiser import HostDenoiser, Text


@dataclass(frozen=True, eq=False)
class Encoding:
    """How a clean latent's noisy ones are had: see `swf_core.transfer.trajectory`."""

    kind: str = "ddim"
    refinements: int = 0
    forward_first: int = 0
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Source:
    """What a reference process follows: clean latents [B, C, h, w] as LATENT holds them, or a known trajectory.

    The trajectory is in the model's own scale and in sigma space.
    """

    latents: Tensor | None = None
    trajectory: Trajectory | None = None
    encoding: Encoding = Encoding()

    def __deepcopy__(self, memo: Any) -> Source:
        return self

    def channels(self) -> int:
        """Latent channels."""
        return int(self._clean().shape[1])

    def shape(self) -> tuple[int, ...]:
        """[B, C, h, w] of its latents."""
        return tuple(self._clean().shape)

    def _clean(self) -> Tensor:
        if self.trajectory is not None:
            return self.trajectory.clean
        assert self.latents is not None
        return self.latents

    def followed(self, denoiser: HostDenoiser, text: Text, sigmas: Sequence[float], what: str) -> Trajectory:
        """The trajectory up the rising `sigmas` (without 0); evaluations of an inversion happen here."""
        if self.trajectory is not None:
            return self.trajectory
        assert self.latents is not None
        clean = denoiser.model.process_latent_in(self.latents.float()).to(denoiser.device)
        return invert(denoiser, text, clean, sigmas, self.encoding, what)


def invert(
    denoiser: HostDenoiser,
    text: Text,
    clean: Tensor,
    sigmas: Sequence[float],
    encoding: Encoding,
    what: str,
    callback: Callable[..., None] | None = None,
) -> Trajectory:
    """The trajectory of clean latents in the model's scale, with progress and cancel; `what` is named in errors.

    `callback`: the host's, called with (step, x0, x, steps) instead of a progress bar without preview.
    """
    if not torch.isfinite(clean).all():
        raise UserError(f"The {what} latents hold NaN or infinite values; encode the picture again.")
    generator = torch.Generator("cpu").manual_seed(encoding.seed)
    noise = torch.randn((1, *clean.shape[1:]), generator=generator).to(clean).expand_as(clean)
    if encoding.kind == "stochastic":
        return encode_stochastic(clean, noise)
    steps = len(sigmas) - min(encoding.forward_first, len(sigmas)) * (encoding.kind == "ddim")
    total, done = max(1, steps * (1 + encoding.refinements)), 0
    bar = None if callback else comfy.utils.ProgressBar(total)

    def evaluate(x: Tensor, sigma: float, own: bool) -> Tensor:
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
    if encoding.kind == "bdia":
        return invert_bdia(evaluate, clean, sigmas, smallest=smallest)
    return invert_ddim(
        evaluate,
        clean,
        sigmas,
        smallest=smallest,
        refinements=encoding.refinements,
        forward_first=encoding.forward_first,
        noise=noise,
    )


class Process:
    """One reference process of a sampling: shows its features at any noise level it is asked for.

    `keep_bytes`: features of all levels stay in the bank while they need less than this; else of the last two.
    `weights`: puts the weights it runs with in place for the time of a call, where they are not generation's.
    """

    def __init__(
        self,
        denoiser: HostDenoiser,
        text: Text,
        trajectory: Trajectory,
        bank: FeatureBank,
        keep_bytes: int = 0,
        weights: Callable[[], AbstractContextManager] = nullcontext,
    ):
        self.denoiser, self.text, self.trajectory, self.bank = denoiser, text, trajectory, bank
        self.weights, self._keep_bytes = weights, keep_bytes
        self._held: list[float] = []

    def ensure(self, *levels: float) -> None:
        """Have the features of these levels in the bank; the level before is kept too: some samplers return to it."""
        missing = [sigma for sigma in levels if not self.bank.has(sigma)]
        if not missing:
            return
        with self.weights():
            for sigma in missing:
                mm.throw_exception_if_processing_interrupted()
                self.denoiser.denoise(self.trajectory.at(sigma), sigma, self.text, self.bank.recorder(sigma))
        self._held += missing
        if self.bank.size_bytes() <= self._keep_bytes:
            return
        for old in self._held[:-2]:
            self.bank.forget(old)
        self._held = self._held[-2:]

    def statistics_at(self, sigma: float) -> Tensor:
        """The latent whose channel statistics stand for the picture's tones at `sigma`."""
        return self.trajectory.for_statistics(sigma)
