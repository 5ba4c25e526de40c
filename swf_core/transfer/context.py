"""What all parts of one transfer share: its models, options, noise levels, layers, and the meter of its cost."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..models.contracts import AttentionLayer, Backend, Conditioning
from .cost import Meter, Progress
from .inputs import Models
from .keeping import choose_keeping, level_bytes, planned_bank
from .layers import choose_layers, same_layers
from .levels import plan_levels
from .options import TransferOptions
from .roles import Role
from .sigmas import Levels, travelled
from .trajectory import Encoding


@dataclass(frozen=True, eq=False)
class TransferContext:
    """One transfer's settings, made by `plan`.

    `negative`: text of the unconditional branch. `notes`: sentences for who runs it.
    """

    models: Models
    options: TransferOptions
    levels: Levels
    layers: tuple[AttentionLayer, ...]
    meter: Meter
    negative: str = ""
    seed: int = 0
    notes: list[str] = field(default_factory=list)

    @classmethod
    def plan(
        cls, models: Models, options: TransferOptions, negative: str, seed: int, progress: Progress | None
    ) -> TransferContext:
        """Choose the levels and layers. Raises ValueError (UserError) when the models do not go together."""
        layers = choose_layers(models.generation, options.injection.layers)
        for role in ("content", "style", "unconditional"):
            backend = getattr(models, role)
            if backend is not None:
                same_layers(backend, layers, role)
        levels = plan_levels(models.generation.denoiser.sigmas, options)
        return cls(models, options, levels, layers, Meter(progress), negative, seed)

    @property
    def layer_names(self) -> frozenset[str]:
        """The names of the layers that are injected into."""
        return frozenset(layer.name for layer in self.layers)

    @property
    def side_px(self) -> int:
        """The long side of contents and results; 0 leaves pictures as they are."""
        size = self.options.size_px
        return self.models.generation.native_size_px if size is None else size

    @property
    def cell_px(self) -> int:
        """The side of a latent cell in the picture."""
        return self.models.generation.codec.downscale

    def injected_levels(self) -> list[float]:
        """The levels, of those that generation evaluates at, where anything is injected."""
        return [sigma for sigma in self.levels.read if self.options.injection.active(sigma)]

    def style_levels(self) -> frozenset[float]:
        """Those of them where the styles' attention is read."""
        injection = self.options.injection
        return frozenset(self.injected_levels() if injection.read == "style" else ())

    def content_levels(self) -> frozenset[float]:
        """Those of them where content's attention is read."""
        whole = self.options.injection.read == "content"
        return frozenset(sigma for sigma in self.injected_levels() if whole or self.gamma_at(sigma) > 0.0)

    def gamma_at(self, sigma: float) -> float:
        """The schedule's query preservation at a level."""
        return self.options.injection.gamma_at(self.progress(sigma))

    def progress(self, sigma: float) -> float:
        """How far a level lies between the schedule's first (0) and the clean picture (1), whatever the steps."""
        table = self.models.generation.denoiser.sigmas
        return travelled(table, sigma, self.levels.full[0], float(table[0]))

    def encoding(self, kind: str) -> Encoding:
        """How reference pictures are encoded by one of `trajectory.ENCODINGS`."""
        return Encoding(kind, self.options.refinements, self.options.forward_first)

    def note(self, sentence: str) -> None:
        """Have a sentence said, once."""
        if sentence not in self.notes:
            self.notes.append(sentence)

    def role(
        self,
        name: str,
        backend: Backend,
        cond: Conditioning,
        parts: str,
        levels: frozenset[float],
        cells: tuple[int, int, int],
        shared_by: int = 1,
    ) -> Role:
        """The role of a process on `backend`, whose features `parts` are read at `levels`, in memory.

        `cells`: rows, height and width of its latents. `shared_by`: how many such processes share the limit.
        """
        rows, height, width = cells
        itemsize = next(backend.denoiser.network.parameters()).element_size()
        keeping = choose_keeping(
            self.options.features,
            self.options.precision,
            levels=len(levels),
            level_bytes=level_bytes(self.layers, (height, width), rows, parts, itemsize),
            itemsize=itemsize,
            limit_bytes=int(self.options.feature_mb * 2**20),
            shared_by=shared_by,
        )
        if keeping.thinned:
            self.note(keeping.said(name))
        bank = planned_bank(self.layer_names, parts, keeping, levels)
        return Role(name, backend.denoiser, cond, bank, levels, keeping.captured, keeping.fits)
