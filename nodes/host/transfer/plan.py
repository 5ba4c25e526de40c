"""A style transfer as it was set on a MODEL: frozen data that all samplings with it share."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from torch import Tensor

from ....swf_core.transfer.calibration import Calibration
from ....swf_core.transfer.injection import Injection
from ....swf_core.transfer.layout_guidance import Layout
from ....swf_core.transfer.rope import POSITIONS, Untwist
from ....swf_core.transfer.sigmas import Levels
from ....swf_core.transfer.trajectory import Encoding, Trajectory
from .denoiser import PlainConditioning
from .feature_store import FeatureStore


@dataclass(frozen=True, eq=False)
class LatentSource:
    """A picture to follow: its clean latents [B, C, h, w] as LATENT holds them, and how the noisy ones are had."""

    latents: Tensor
    encoding: Encoding = Encoding()

    def __deepcopy__(self, memo: Any) -> LatentSource:
        return self

    @property
    def shape(self) -> tuple[int, ...]:
        """[B, C, h, w] of its latents."""
        return tuple(self.latents.shape)

    @property
    def identity(self) -> list[Any]:
        """What it is followed by; equal (`feature_store.equal_values`) for an equal picture."""
        return [self.latents, self.encoding if self.encoding.draws_noise else replace(self.encoding, seed=0)]


@dataclass(frozen=True, eq=False)
class TrajectorySource:
    """A picture to follow: its known trajectory, in the model's own scale and in sigma space."""

    trajectory: Trajectory

    def __deepcopy__(self, memo: Any) -> TrajectorySource:
        return self

    @property
    def shape(self) -> tuple[int, ...]:
        """[B, C, h, w] of its latents."""
        return tuple(self.trajectory.clean.shape)

    @property
    def identity(self) -> list[Any]:
        """As of `LatentSource`."""
        return [self.trajectory.clean, self.trajectory.points, self.trajectory.noise]


Source = LatentSource | TrajectorySource


@dataclass(frozen=True, eq=False)
class StyleSource:
    """A style picture: what its process follows, its weight, a mask [h, w] of what may be read of it, and its place: a
    mask [1 or B, h, w] of where in the result it counts among other styles."""

    source: Source
    weight: float = 1.0
    readable: Tensor | None = None
    place: Tensor | None = None


@dataclass(frozen=True, eq=False)
class TransferPlan:
    """Everything a patched MODEL knows of its style transfer; shared by all its clones.

    `text`: of the reference processes; None takes the negative of each sampling. `place`: mask [1 or B, H, W] of
    where the style goes. `style_guidance`, `leak_guard`, `cfg_detail`: see `TransferOptions` in the core.
    `start_adain`: None leaves the sampler its own start; a number in 0..1 starts it from the content's noisy
    latent, its channel statistics moved so far to the styles' (StyleID's initial latent AdaIN); `low_frequencies`:
    the share of its low frequencies that such a start keeps; `renoise`: how far it is turned towards fresh noise (1
    is noise alone and needs no content); both noises are of `start_seed`. `calibration`, `layout`: see the core;
    `layout_adain`: how far the tones of the layout that guides are moved to the styles'. `positions`: where a
    style's keys stand in a transformer (`transfer.rope.key_positions`), by the gains `untwist`. `content_model`: a
    MODEL whose weights run the content process (arXiv 2506.15033 leaves open which do); None takes generation's.
    `store`: where what the pictures show stays between samplings; None forgets it, and never holds more than two
    levels of it. `levels`: noise levels of the references and the start that are not simply the sampler's
    (StyleID's bookkeeping). `schedule`: the whole schedule, falling, where a sampler may run but a part of it; None
    leaves it to be recognized (`schedules.whole_schedule`).
    """

    injection: Injection
    layers: tuple[str, ...]
    styles: tuple[StyleSource, ...]
    content: Source | None = None
    text: PlainConditioning | None = None
    place: Tensor | None = None
    style_guidance: float = 0.0
    leak_guard: float = 0.0
    cfg_detail: float = 0.0
    start_adain: float | None = None
    low_frequencies: float = 1.0
    renoise: float = 0.0
    start_seed: int = 0
    calibration: Calibration = field(default_factory=Calibration)
    layout: Layout = field(default_factory=Layout)
    layout_adain: float = 0.0
    precision: str = "fp32"
    positions: str = POSITIONS[0]
    untwist: Untwist = field(default_factory=Untwist)
    content_model: Any = None
    store: FeatureStore | None = None
    levels: Levels | None = None
    schedule: tuple[float, ...] | None = None

    def __deepcopy__(self, memo: Any) -> TransferPlan:
        return self
