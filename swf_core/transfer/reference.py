"""A reference process, content's or style's: its trajectory, and the features it shows at each noise level.

It runs alone, before generation's call at the same sigma, with its own text, weights and size; generation reads what it
left in the bank and can never alter it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..models.contracts import AttentionEdit, Conditioning, Denoiser
from .context import TransferContext
from .inversion import invert
from .joined import Rows, denoise_together
from .reference_cache import Kept, ReferenceCache, key_of
from .roles import Role
from .sampler import run_sampler
from .trajectory import Encoding, Evaluate, Trajectory


@dataclass(frozen=True, eq=False)
class _Picture:
    """Clean latents [n, C, h, w], how their noisy ones are had, and the noise of that."""

    latents: Tensor
    encoding: Encoding
    noise: Tensor


@dataclass(frozen=True, eq=False)
class _Text:
    """A free sample: unit noise to start from [n, C, h, w], and the text of the unconditional branch."""

    noise: Tensor
    negative: Conditioning


class Reference:
    """One batch of latents of equal size on one denoiser.

    `of_picture` and `of_text` make it and announce what it costs; `run` follows it, which costs that, and after it
    `ensure` has the features of a level in the bank.
    """

    def __init__(self, role: Role, context: TransferContext, source: _Picture | _Text):
        self.bank, self._role, self._context, self._source = role.bank, role, context, source
        self._rows = source.latents.shape[0] if isinstance(source, _Picture) else source.noise.shape[0]
        self._trajectory: Trajectory | None = None

    @classmethod
    def of_picture(cls, role: Role, context: TransferContext, latents: Tensor, kind: str, noise: Tensor) -> Reference:
        """The process of clean `latents` [n, C, h, w]; `kind`: one of `trajectory.ENCODINGS`."""
        encoding, levels, rows = context.encoding(kind), context.levels.inverted[::-1], latents.shape[0]
        reference = cls(role, context, _Picture(latents, encoding, noise))
        context.meter.plan(f"{role.name} inversion", rows, encoding.evaluations(len(levels)))
        reference._plan_features(encoding.own_levels(levels, context.levels.clean_at))
        return reference

    @classmethod
    def of_text(cls, role: Role, context: TransferContext, noise: Tensor, negative: Conditioning) -> Reference:
        """The process that samples the role's own text freely: a style made of words."""
        reference = cls(role, context, _Text(noise, negative))
        levels, rows = context.levels.full, noise.shape[0]
        passes = 1 if context.options.style_cfg == 1.0 else 2
        context.meter.plan(f"{role.name} sampling", rows, len(levels) * passes)
        reference._plan_features(levels)
        return reference

    def run(self, cache: ReferenceCache | None = None) -> None:
        """Find the trajectory: the evaluations of inversion or sampling happen here. A second call does nothing.

        `cache`: where it may have been kept, with its features, and will be; asking costs one evaluation.
        """
        if self._trajectory is not None:
            return
        source = self._source
        if isinstance(source, _Text):
            self._trajectory = self._sample(source)
        elif cache is None or source.encoding.evaluations(2) == 0:
            self._trajectory = self._invert(source)
        else:
            self._trajectory = self._kept_or_inverted(source, cache)

    def _kept_or_inverted(self, source: _Picture, cache: ReferenceCache) -> Trajectory:
        key = self._key(source)
        if (kept := cache.find(key)) is not None:
            self._context.meter.saved(f"{self._role.name} inversion")
            return kept.restore(self.bank, source.latents.device)
        trajectory = self._invert(source)
        cache.keep(key, Kept.of(trajectory, self.bank))
        return trajectory

    def _key(self, source: _Picture) -> str:
        """What decides trajectory and features, the weights by what they predict half way up."""
        levels, meter = self._context.levels, self._context.meter
        sigma = levels.inverted[len(levels.inverted) // 2]
        meter.plan(f"{self._role.name} key", self._rows, 1)
        probe = self._denoise(source.latents + sigma * source.noise, sigma, None)
        cond = self._role.cond
        told = (levels.inverted, levels.clean_at, sorted(self._role.levels), self._role.captured)
        standing = [self.bank.stand_in(level) for level in sorted(self._role.levels)]
        banked = (sorted(self.bank.layers), self.bank.parts, self.bank.precision, standing)
        return key_of((probe, source.latents, source.noise, cond.tokens, cond.pooled, source.encoding, told, banked))

    def again(self, context: TransferContext) -> None:
        """Go on for another run over the same levels, whose cost is the `context`'s: of what does not stay."""
        self._context = context
        if not self.stays:
            self._plan_features(())

    @property
    def stays(self) -> bool:
        """Whether its features may all be in memory at once, for another content; else a level goes once it is read."""
        return self._role.stays

    def latent_at(self, sigma: float) -> Tensor:
        """The process's latent at `sigma`."""
        return self.trajectory.at(sigma)

    def statistics_at(self, sigma: float) -> Tensor:
        """The latent whose channel statistics stand for the picture's tones at `sigma`."""
        return self.trajectory.for_statistics(sigma)

    def ensure(self, *sigmas: float) -> None:
        """Have the features of these levels in the bank, of those that generation reads."""
        for sigma in sigmas:
            if (rows := self.rows_at(sigma)) is not None:
                self._denoise(rows.x, self.bank.stand_in(sigma), rows.edit)

    def rows_at(self, sigma: float) -> Rows | None:
        """What `ensure` would evaluate at this level; None where nothing is missing."""
        if sigma not in self._role.levels or self.bank.has(sigma):
            return None
        kept = self.bank.stand_in(sigma)
        return Rows(self.latent_at(kept), self._role.cond, self.bank.recorder(kept))

    @property
    def denoiser(self) -> Denoiser:
        """Who predicts it."""
        return self._role.denoiser

    @property
    def trajectory(self) -> Trajectory:
        """Its latents along the levels. Raises RuntimeError before `run`."""
        if self._trajectory is None:
            raise RuntimeError(f"The {self._role.name} process was not run yet.")
        return self._trajectory

    def _plan_features(self, own_levels: Iterable[float]) -> None:
        """Announce the evaluations that read features, where none are captured on the way over `own_levels`."""
        captured = set(own_levels) if self._role.captured else set()
        kept = {self.bank.stand_in(sigma) for sigma in self._role.levels}
        self._context.meter.plan(f"{self._role.name} features", self._rows, len(kept - captured))

    def _invert(self, source: _Picture) -> Trajectory:
        return _inverted(source, self._evaluate, self._role.denoiser, self._context)

    def _sample(self, source: _Text) -> Trajectory:
        levels, cfg = self._context.levels.full, self._context.options.style_cfg
        points: dict[float, Tensor] = {}

        def evaluate(x: Tensor, sigma: float) -> Tensor:
            points[sigma] = x
            x0 = self._evaluate(x, sigma, True)
            if cfg != 1.0:
                other = self._context.meter.denoise(self._role.denoiser, x, sigma, source.negative)
                x0 = other + cfg * (x0 - other)
            return x0

        clean = run_sampler(evaluate, [source.noise * levels[0]], levels)
        return Trajectory(clean, {0.0: clean, **points}, statistics_noise=source.noise)

    def _evaluate(self, x: Tensor, sigma: float, own_point: bool) -> Tensor:
        return self._denoise(x, sigma, self._capture(sigma, own_point))

    def _capture(self, sigma: float, own_point: bool) -> AttentionEdit | None:
        read = sigma in self._role.levels and self.bank.stand_in(sigma) == sigma
        return self.bank.recorder(sigma) if own_point and self._role.captured and read else None

    def _denoise(self, x: Tensor, sigma: float, edit: AttentionEdit | None) -> Tensor:
        return self._context.meter.denoise(self._role.denoiser, x, sigma, self._role.cond, edit)


def _inverted(source: _Picture, evaluate: Evaluate, denoiser: Denoiser, context: TransferContext) -> Trajectory:
    return invert(
        source.encoding,
        evaluate,
        source.latents,
        context.levels.inverted[::-1],
        noise=source.noise,
        smallest=float(denoiser.sigmas[0]),
        clean_at=context.levels.clean_at,
    )


def run_together(references: Sequence[Reference]) -> None:
    """`run` of all: pictures of one size and encoding that one network inverts go through it side by side, at most
    `options.batch` of them."""
    open_groups: dict[Any, list[tuple[Reference, _Picture]]] = {}
    groups: list[list[tuple[Reference, _Picture]]] = []
    for reference in references:
        source = reference._source
        if not isinstance(source, _Picture) or reference._trajectory is not None:
            reference.run()
            continue
        key = reference.denoiser, source.latents.shape[1:], source.encoding
        group = open_groups.get(key, [])
        rows = sum(other.latents.shape[0] for _, other in group) + source.latents.shape[0]
        if not group or rows > reference._context.options.batch:
            open_groups[key] = group = []
            groups.append(group)
        group.append((reference, source))
    for group in groups:
        _invert_together(group)


def _invert_together(group: Sequence[tuple[Reference, _Picture]]) -> None:
    context, denoiser = group[0][0]._context, group[0][0].denoiser
    sources = [source for _, source in group]
    counts = [source.latents.shape[0] for source in sources]
    both = _Picture(torch.cat([s.latents for s in sources]), sources[0].encoding, torch.cat([s.noise for s in sources]))

    def evaluate(x: Tensor, sigma: float, own_point: bool) -> Tensor:
        parts = [
            Rows(own, reference._role.cond, reference._capture(sigma, own_point))
            for (reference, _), own in zip(group, x.split(counts))
        ]
        return torch.cat(denoise_together(context.meter, denoiser, parts, sigma))

    for (reference, _), trajectory in zip(group, _inverted(both, evaluate, denoiser, context).split(counts)):
        reference._trajectory = trajectory
