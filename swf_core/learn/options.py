"""How a style is trained, with defaults for each family of models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from ..errors import UserError
from ..models.lora import TARGETS

SCHEDULES = ("constant", "linear", "cosine")
LOSSES = ("native", "epsilon", "v", "x0")
BIASES = ("none", "detail", "layout")
GUIDANCES = ("asymmetric", "both branches")


@dataclass(frozen=True)
class TrainOptions:
    """Options of a training. What a round may change is listed in `ROUND`.

    * steps: optimizer steps of a round.
    * targets: which layers, one of `models.lora.TARGETS`. rank, alpha: alpha 0 stands for the rank, so that the
      learning rate means the same at any rank.
    * learning_rate, schedule, floor, warm_up: AdamW's; linear and cosine fall to `floor` times the peak by the end of
      the round, after `warm_up` steps of rising.
    * batch, accumulate: pictures a forward pass, and passes a step. clip: largest norm of the gradient, 0 is off.
    * caption_dropout: share of the rows whose caption is empty, which keeps guidance healthy.
    * loss: what the squared error is taken of; "native" is what the network predicts. min_snr: gamma of min-SNR
      weighting (arXiv 2303.09556), 0 is off. noise_offset: a constant per channel added to the noise (0.03 to 0.1).
    * bias: which noise levels are drawn: all alike, low ones for detail, high ones for layout.
    * prior_weight: of the loss on pictures that the plain model makes itself (DreamBooth, arXiv 2208.12242).
      prior_count: how many of them.
    * views: crops of each picture whose latents are cached, the first the whole picture. zoom: the closest crop.
      shift: how far, in shares of a side, a crop reaches beyond the picture, which is mirrored there. flip: half of
      the views are turned left to right.
    * size_px: long side of a square of the working area; 0 is the model's native size.
    * sample_every: steps between samples, 0 is never. samples: how many; their prompts are given beside. sample_steps,
      sample_cfg, guidance: how. save_every: steps between saved states; a state is also saved with each sample.
    * strength: what the LoRA is sampled and kept at, 1 being as trained. A LoRA that has seen one picture is trained a
      little too far and then taken back: the style stays, the picture's layout goes.
    * picks_share: largest share of a batch that picked samples have. picks_above: where in the noise levels, 0 the
      lowest and 1 the highest, they begin to be learnt; 0 is at all of them. seed: of everything that is drawn.
    """

    steps: int = 600
    targets: str = "attention"
    rank: int = 16
    alpha: float = 0.0
    learning_rate: float = 1e-4
    schedule: str = "constant"
    floor: float = 0.2
    warm_up: int = 0
    weight_decay: float = 1e-2
    batch: int = 1
    accumulate: int = 1
    clip: float = 1.0
    caption_dropout: float = 0.05
    loss: str = "native"
    min_snr: float = 0.0
    noise_offset: float = 0.0
    bias: str = "none"
    prior_weight: float = 0.0
    prior_count: int = 16
    views: int = 16
    zoom: float = 1.25
    shift: float = 0.0
    flip: bool = True
    size_px: int = 0
    sample_every: int = 100
    sample_steps: int = 20
    sample_cfg: float = 4.0
    guidance: str = "asymmetric"
    save_every: int = 50
    strength: float = 1.0
    picks_share: float = 0.25
    picks_above: float = 0.5
    seed: int = 0

    def __post_init__(self) -> None:
        for name, allowed in (
            ("targets", TARGETS),
            ("schedule", SCHEDULES),
            ("loss", LOSSES),
            ("bias", BIASES),
            ("guidance", GUIDANCES),
        ):
            if getattr(self, name) not in allowed:
                raise UserError(f"{name} is {getattr(self, name)!r}; use one of {', '.join(allowed)}.")
        ranges: Mapping[str, tuple[float, float]] = {
            "steps": (1, 1_000_000),
            "rank": (1, 512),
            "alpha": (0, 4096),
            "learning_rate": (1e-8, 1),
            "floor": (0, 1),
            "warm_up": (0, 100_000),
            "weight_decay": (0, 1),
            "batch": (1, 256),
            "accumulate": (1, 256),
            "clip": (0, 1000),
            "caption_dropout": (0, 1),
            "min_snr": (0, 100),
            "noise_offset": (0, 1),
            "prior_weight": (0, 10),
            "prior_count": (1, 1000),
            "views": (1, 1000),
            "zoom": (1, 4),
            "shift": (0, 0.5),
            "size_px": (0, 8192),
            "sample_every": (0, 1_000_000),
            "sample_steps": (1, 999),
            "sample_cfg": (1, 100),
            "save_every": (1, 100_000),
            "strength": (0.01, 2),
            "picks_share": (0, 0.5),
            "picks_above": (0, 0.9),
        }
        for name, (low, high) in ranges.items():
            if not low <= getattr(self, name) <= high:
                raise UserError(f"{name} is {getattr(self, name)}; it must be between {low:g} and {high:g}.")

    def changed(self, **values: Any) -> TrainOptions:
        """A copy with some values replaced."""
        return replace(self, **values)

    @property
    def scale(self) -> float:
        """The LoRA's alpha."""
        return self.alpha or float(self.rank)

    def rate(self, step: int) -> float:
        """The learning rate of a round's step."""
        if step < self.warm_up:
            return self.learning_rate * (step + 1) / self.warm_up
        if self.schedule == "constant":
            return self.learning_rate
        from math import cos, pi

        t = (step - self.warm_up) / max(1, self.steps - self.warm_up)
        left = 1 - t if self.schedule == "linear" else (1 + cos(pi * t)) / 2
        return self.learning_rate * (self.floor + (1 - self.floor) * left)


# What may differ from one round of a run to the next; anything else is another run.
ROUND = (
    "steps",
    "learning_rate",
    "schedule",
    "floor",
    "warm_up",
    "clip",
    "caption_dropout",
    "sample_every",
    "save_every",
    "guidance",
    "sample_cfg",
    "sample_steps",
    "strength",
    "picks_share",
    "picks_above",
)


def defaults(family: str) -> TrainOptions:
    """Where to begin: the embedded model learns a style in a few hundred steps of a high rate and small pictures."""
    if family == "mini":
        return TrainOptions(
            steps=200,
            targets="attention and feed-forward",
            learning_rate=1e-3,
            schedule="linear",
            batch=8,
            views=48,
            shift=0.15,
            sample_every=100,
            sample_steps=16,
            sample_cfg=5.0,
            strength=0.7,
            save_every=100,
        )
    if family == "SDXL":
        return TrainOptions(steps=800)
    return TrainOptions()


def to_json(options: TrainOptions) -> dict[str, Any]:
    """Plain values."""
    return asdict(options)


def from_json(values: Mapping[str, Any]) -> TrainOptions:
    """Options from a file; names that a later version wrote are refused.

    Raises UserError for those, and for values out of range.
    """
    known = {f.name for f in fields(TrainOptions)}
    unknown = sorted(set(values) - known)
    if unknown:
        raise UserError(f"The run was made by a later version: its option '{unknown[0]}' is unknown here.")
    return TrainOptions(**values)
