"""Counting cost in E: one UNet evaluation of one latent. A planned formula, and a meter that counts what was run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from ..models.contracts import AttentionEdit, Conditioning, Denoiser

# value in 0..1, and generation's present x0 (latents [B, C, h, w]) where there is one. Raising from it cancels the run.
Progress = Callable[[float, "Tensor | None"], None]


@dataclass(frozen=True)
class CostPart:
    """`rows` latents evaluated `evaluations` times for `name`."""

    name: str
    rows: int
    evaluations: int

    @property
    def total(self) -> int:
        return self.rows * self.evaluations


@dataclass(frozen=True)
class Cost:
    """`planned` is what `formula` says, `counted` what was run, both in E; tests hold them equal."""

    formula: str
    planned: int
    counted: int
    parts: tuple[CostPart, ...] = ()


class Meter:
    """Counts the evaluations of one run and drives its progress callback."""

    def __init__(self, progress: Progress | None = None):
        self.counted, self._progress = 0, progress
        self._parts: list[CostPart] = []

    def plan(self, name: str, rows: int, evaluations: int) -> None:
        """Announce a part of the work; before it is done, so that progress knows the whole."""
        for index, part in enumerate(self._parts):
            if (part.name, part.evaluations) == (name, evaluations):
                self._parts[index] = CostPart(name, part.rows + rows, evaluations)
                return
        if rows * evaluations:
            self._parts.append(CostPart(name, rows, evaluations))

    def saved(self, name: str) -> None:
        """A part that was announced need not be done."""
        self._parts = [part for part in self._parts if part.name != name]

    def denoise(
        self, denoiser: Denoiser, x: Tensor, sigma: float, cond: Conditioning, edit: AttentionEdit | None = None
    ) -> Tensor:
        """One counted call."""
        out = denoiser.denoise(x, sigma, cond, edit)
        self.counted += x.shape[0]
        self.report(None)
        return out

    def report(self, preview: Tensor | None) -> None:
        """Tell the callback how far the run is."""
        if self._progress is not None:
            self._progress(min(1.0, self.counted / max(1, self.planned)), preview)

    @property
    def planned(self) -> int:
        return sum(part.total for part in self._parts)

    def cost(self) -> Cost:
        """What was planned and what was counted."""
        terms = " + ".join(f"{part.name} {part.rows} x {part.evaluations}" for part in self._parts) or "nothing"
        return Cost(f"{terms} = {self.planned} E", self.planned, self.counted, tuple(self._parts))
