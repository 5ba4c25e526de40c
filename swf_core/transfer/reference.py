"""A reference process, content's or style's: its trajectory, and the features it shows at each noise level.

It runs alone, before generation's call at the same sigma, with its own text, weights and size; generation reads what it
left in the bank and can never alter it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor

from ..models.contracts import AttentionEdit, Conditioning, Denoiser
from .cost import Meter
from .features import FeatureBank
from .options import TransferOptions
from .sampler import run_sampler
from .sigmas import Levels
from .trajectory import Encoding, Trajectory, invert


class Reference:
    """One batch of latents of equal size on one denoiser.

    `wanted`: the levels at which generation will read features. Call `from_picture` or `from_text`, then `start`
    once, and `ensure` before each reading.
    """

    def __init__(
        self,
        name: str,
        denoiser: Denoiser,
        cond: Conditioning,
        bank: FeatureBank,
        wanted: Sequence[float],
        options: TransferOptions,
        meter: Meter,
    ):
        self.name, self.denoiser, self.cond, self.bank = name, denoiser, cond, bank
        self.wanted, self.options, self.meter = frozenset(wanted), options, meter
        self.trajectory: Trajectory | None = None
        self._job: Callable[[], None] | None = None

    def from_picture(self, latents: Tensor, kind: str, levels: Levels, noise: Tensor) -> None:
        """This process follows clean `latents` [n, C, h, w]; `start` does it."""
        encoding = Encoding(kind, self.options.refinements, self.options.forward_first)
        rising, clean_at = levels.inverted[::-1], levels.clean_at
        self._plan_picture(latents.shape[0], encoding, rising, clean_at)
        self._job = lambda: self._invert(latents, encoding, rising, noise, clean_at)

    def from_text(self, noise: Tensor, levels: Sequence[float], negative: Conditioning) -> None:
        """This process is a free sample of its own text over the falling `levels`. `start` does it."""
        self._plan_sample(noise.shape[0], levels)
        self._job = lambda: self._sample(noise, levels, negative)

    def start(self) -> None:
        """Find the trajectory: evaluations of inversion or sampling happen here. Nothing to follow: nothing is done."""
        if self._job is not None:
            self._job()
            self._job = None

    def latent_at(self, sigma: float) -> Tensor:
        """The process's latent at `sigma`."""
        return self._followed().at(sigma)

    def statistics_at(self, sigma: float) -> Tensor:
        """The latent whose channel statistics stand for the picture's tones at `sigma`."""
        return self._followed().for_statistics(sigma)

    def _plan_picture(self, rows: int, encoding: Encoding, levels: Sequence[float], clean_at: float) -> None:
        """Announce the cost of a picture's inversion over the rising `levels` and of reading its features."""
        self.meter.plan(f"{self.name} inversion", rows, encoding.evaluations(len(levels)))
        visited = set(encoding.own_levels(levels, clean_at))
        captured = visited if self.options.features == "capture" else set()
        self.meter.plan(f"{self.name} features", rows, len(self.wanted - captured))

    def _plan_sample(self, rows: int, levels: Sequence[float]) -> None:
        """Announce the cost of a style that is sampled from text over `levels`, and of reading its features."""
        self.meter.plan(f"{self.name} sampling", rows, len(levels) * (1 if self.options.style_cfg == 1.0 else 2))
        captured = set(levels) if self.options.features == "capture" else set()
        self.meter.plan(f"{self.name} features", rows, len(self.wanted - captured))

    def _invert(
        self, latents: Tensor, encoding: Encoding, levels: Sequence[float], noise: Tensor, clean_at: float
    ) -> None:
        """Find the trajectory of clean `latents` [n, C, h, w]; the rising `levels` are without 0."""
        self.trajectory = invert(
            encoding,
            self._evaluate,
            latents,
            levels,
            noise=noise,
            smallest=float(self.denoiser.sigmas[0]),
            clean_at=clean_at,
        )

    def _sample(self, noise: Tensor, levels: Sequence[float], negative: Conditioning) -> None:
        """A free sample from this process's own text over the falling `levels`: a style made of words."""
        points: dict[float, Tensor] = {}

        def evaluate(x: Tensor, sigma: float) -> Tensor:
            points[sigma] = x
            x0 = self._evaluate(x, sigma, True)
            if self.options.style_cfg != 1.0:
                other = self.meter.denoise(self.denoiser, x, sigma, negative)
                x0 = other + self.options.style_cfg * (x0 - other)
            return x0

        clean = run_sampler(evaluate, [noise * levels[0]], levels)
        self.trajectory = Trajectory(clean, {0.0: clean, **points}, statistics_noise=noise)

    def ensure(self, *sigmas: float) -> None:
        """Have the features of these levels in the bank, of those that are read."""
        for sigma in sigmas:
            if sigma in self.wanted and not self.bank.has(sigma):
                self._call(self.latent_at(sigma), sigma, self.bank.recorder(sigma))

    def _followed(self) -> Trajectory:
        if self.trajectory is None:
            raise RuntimeError(f"The {self.name} process was not started.")
        return self.trajectory

    def _evaluate(self, x: Tensor, sigma: float, own_point: bool) -> Tensor:
        keep = own_point and self.options.features == "capture" and sigma in self.wanted
        return self._call(x, sigma, self.bank.recorder(sigma) if keep else None)

    def _call(self, x: Tensor, sigma: float, edit: AttentionEdit | None) -> Tensor:
        return self.meter.denoise(self.denoiser, x, sigma, self.cond, edit)
