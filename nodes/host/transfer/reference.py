"""The reference processes of a sampling in ComfyUI: a picture's latents along the noise levels, and their features."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any

import comfy.model_management as mm
import comfy.utils
import torch
from torch import Tensor

from ....swf_core.errors import UserError
from ....swf_core.models.contracts import AttentionEdit
from ....swf_core.transfer import inversion
from ....swf_core.transfer.trajectory import Encoding, Trajectory
from .denoiser import HostDenoiser, PlainConditioning
from .feature_store import FeatureStore
from .plan import LatentSource, Source
from .roles import Role
from .style_cache import kept_or_found, style_cache

# Which level's features an evaluation at the trajectory's own point records, if any.
Record = Callable[[float], AttentionEdit | None]


def follow(source: Source, role: Role, store: FeatureStore | None, signature: Any) -> ReferenceProcess:
    """The process of a source: as the store kept it under an equal signature, or found now, which evaluates.

    With a store, features are recorded while the picture is inverted, which costs nothing extra; without one they are
    evaluated level by level when they are asked for, and no more than those of two levels are ever in memory.
    """
    if store is None:
        return ReferenceProcess(role, trajectory_of(source, role))
    kept = store.find(signature)
    if kept is None or kept.trajectory is None or not reaches(source, kept.trajectory, role.rising):
        kept = store.keep(signature, role.bank, role.denoiser.model)
        bank = kept.bank

        def record(sigma: float) -> AttentionEdit | None:
            kept_here = role.captured and role.reads(sigma) and bank.stand_in(sigma) == sigma
            return bank.recorder(sigma) if kept_here and store.has_room() else None

        kept.trajectory = _kept_on_disk(source, replace(role, bank=bank), record)
    has_room = store.has_room if role.captured else _no_room
    return ReferenceProcess(replace(role, bank=kept.bank), kept.trajectory, has_room, kept.passing)


def _kept_on_disk(source: Source, role: Role, record: Record) -> Trajectory:
    """`trajectory_of`, from and to the disk where a person wants styles kept there."""
    cache = style_cache() if role.on_disk else None
    if cache is None or not isinstance(source, LatentSource) or source.encoding.evaluations(len(role.rising)) == 0:
        return trajectory_of(source, role, record)
    return kept_or_found(cache, source, _clean(source, role), role, lambda: trajectory_of(source, role, record))


def _clean(source: LatentSource, role: Role) -> Tensor:
    """A picture's latents in the model's own scale."""
    return role.denoiser.latents_in(source.latents).to(role.denoiser.device)


def _no_room() -> bool:
    return False


def reaches(source: Source, trajectory: Trajectory, rising: Sequence[float]) -> bool:
    """Whether a source's trajectory goes up to where these levels end."""
    inverted = isinstance(source, LatentSource) and trajectory.noise is None
    return not inverted or rising[-1] in trajectory.points


def trajectory_of(source: Source, role: Role, record: Record | None = None) -> Trajectory:
    """A source's trajectory; evaluations of an inversion happen here."""
    if not isinstance(source, LatentSource):
        return source.trajectory
    return invert(
        role.denoiser,
        role.text,
        _clean(source, role),
        role.rising,
        source.encoding,
        role.name,
        clean_at=role.clean_at,
        record=record,
    )


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
    record: Record | None = None,
) -> Trajectory:
    """The trajectory of clean latents in the model's scale, with progress and cancel; `name` stands in errors.

    `callback`: the host's, called with (step, x0, x, steps) instead of a progress bar without preview. `record`: gives
    what takes the features of a level along.
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
        x0 = denoiser.denoise(x, sigma, text, record(sigma) if record and own_point else None)
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

    `has_room`: whether the features of one more level may stay in the bank; else those of the last two that were asked
    for do, and are listed in `passing`. `weights`: puts the weights it runs with in place for the time of a call, where
    they are not generation's.
    """

    def __init__(
        self,
        role: Role,
        trajectory: Trajectory,
        has_room: Callable[[], bool] = _no_room,
        passing: list[float] | None = None,
    ):
        self.denoiser, self.text, self.bank, self.trajectory = role.denoiser, role.text, role.bank, trajectory
        self.weights: Callable[[], AbstractContextManager[Any]] = nullcontext
        self._has_room = has_room
        self._passing = [] if passing is None else passing

    def keep_all(self) -> None:
        """Let the features of all levels stay that are asked for in one call, whatever room there is."""
        self._has_room = lambda: True

    def ensure(self, *sigmas: float) -> None:
        """Have the features of these levels in the bank; the level before stays too: some samplers return to it."""
        missing = list(dict.fromkeys(self.bank.stand_in(sigma) for sigma in sigmas if not self.bank.has(sigma)))
        if not missing:
            return
        with self.weights():
            for sigma in missing:
                mm.throw_exception_if_processing_interrupted()
                self.denoiser.denoise(self.trajectory.at(sigma), sigma, self.text, self.bank.recorder(sigma))
        self._passing += missing
        if self._has_room():
            return
        for old in self._passing[:-2]:
            self.bank.forget(old)
        del self._passing[:-2]

    def latent_at(self, sigma: float) -> Tensor:
        """The process's own latent at `sigma`, float32 on the sampling's device."""
        return self.trajectory.at(sigma).to(self.denoiser.device, torch.float32)

    def statistics_at(self, sigma: float) -> Tensor:
        """The latent whose channel statistics stand for the picture's tones at `sigma`, float32 on the sampling's
        device."""
        return self.trajectory.for_statistics(sigma).to(self.denoiser.device, torch.float32)
