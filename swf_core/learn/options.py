"""How a style is trained, with defaults for each family of models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from math import cos, pi
from typing import Any

from ..errors import UserError
from ..json_shape import first_fault
from ..models.lora_targets import TARGETS

SCHEDULES = ("constant", "linear", "cosine")
LOSSES = ("native", "epsilon", "v", "x0")
TIMESTEP_BIASES = ("none", "detail", "layout")
TIMESTEP_SAMPLINGS = ("native", "logit_normal", "uniform")
BASE_WEIGHTS = ("as_loaded", "bf16", "fp8")
LORA_LAYOUTS = ("native", "kohya")
LORA_GUIDANCES = ("asymmetric", "both")
TRANSFORMERS = ("SD3", "Flux", "Flux.2", "Qwen-Image", "Lumina2", "Z-Image")  # by `Backend.family`
# Names and values that run folders and command lines of before may hold, and what they are called now.
FORMER_NAMES = {"clip": "max_grad_norm", "bias": "timestep_bias", "guidance": "lora_guidance"}
FORMER_GUIDANCES = {"both branches": "both"}


@dataclass(frozen=True)
class TrainOptions:
    """Options of a training. What a round may change is listed in `ROUND`."""

    steps: int = 600  # optimizer steps of a round
    targets: str = "attention"  # which layers have a LoRA, one of `models.lora_targets.TARGETS`
    rank: int = 16
    alpha: float = 0.0  # 0 stands for the rank, so that the learning rate means the same at any rank
    learning_rate: float = 1e-4  # AdamW's, at its peak
    schedule: str = "constant"  # of the learning rate within a round; linear and cosine fall to `floor` by its end
    floor: float = 0.2  # share of the learning rate
    warm_up: int = 0  # steps of rising at the beginning of a round
    weight_decay: float = 1e-2
    batch: int = 1  # pictures a forward pass
    accumulate: int = 1  # forward passes a step
    max_grad_norm: float = 1.0  # larger gradients are scaled down to it; 0 is off
    caption_dropout: float = 0.05  # share of the rows whose caption is empty, which keeps guidance healthy
    loss: str = "native"  # what the squared error is taken of; "native" is what the network predicts
    min_snr: float = 0.0  # gamma of min-SNR weighting (arXiv 2303.09556); 0 is off
    noise_offset: float = 0.0  # a constant per channel that is added to the noise, 0.03 to 0.1 where it is used
    timestep_bias: str = "none"  # "detail" draws mostly low noise, "layout" mostly high noise
    # A rectified flow's times (arXiv 2403.03206); "native" is logit_normal, and on UNets, which know no other, uniform.
    timestep_sampling: str = "native"
    timestep_shift: float = 0.0  # of these times towards noise; 0 is the model's own at the size that is trained at
    prior_weight: float = 0.0  # of the loss on the plain model's own pictures (DreamBooth, arXiv 2208.12242)
    prior_count: int = 16  # how many such pictures
    views: int = 16  # crops of each picture whose latents are cached; the first is the whole picture
    zoom: float = 1.25  # of the closest crop
    shift: float = 0.0  # how far a crop reaches beyond the picture, in shares of a side; it is mirrored there
    flip: bool = True  # half of the views are turned left to right
    size_px: int = 0  # side of a square of the area that is trained at; 0 is the model's native size
    sample_every: int = 100  # steps between evaluations with samples; 0 is never
    sample_steps: int = 20  # of the sampler
    sample_cfg: float = 4.0  # guidance scale of the samples
    # The samples' LoRA is in the conditional branch alone, or in "both". At a guidance scale of 1, where models
    # distilled from guidance are at home, one branch is all there is, and it has the LoRA: what keeps a style from
    # taking over is then `strength`, and `prior_weight` as ever.
    lora_guidance: str = "asymmetric"
    save_every: int = 50  # steps between checkpoints; one is also saved with each evaluation
    # What the LoRA is sampled and saved at, 1 being as trained. A LoRA that has seen one picture is trained a little
    # too far and then taken back: the style stays, the picture's layout goes.
    strength: float = 1.0
    picks_share: float = 0.25  # largest share of a batch that picked samples have
    picks_above: float = 0.5  # share of the noise levels below which picks are not learnt; 0 learns them at all
    gradient_checkpointing: bool = False  # blocks run twice and keep nothing: a third slower, a fraction of the memory
    base_weights: str = "as_loaded"  # what the model's own weights are kept in while the LoRA is trained
    # Names in the LoRA's file: "native" are those that ComfyUI and diffusers read, "kohya" those of the model's makers,
    # which sd-scripts and ComfyUI read (`models.lora_formats.written`); a UNet's are the same.
    lora_layout: str = "native"
    seed: int = 0  # of everything that is drawn

    def __post_init__(self) -> None:
        for name, allowed in (
            ("targets", TARGETS),
            ("schedule", SCHEDULES),
            ("loss", LOSSES),
            ("timestep_bias", TIMESTEP_BIASES),
            ("lora_guidance", LORA_GUIDANCES),
            ("timestep_sampling", TIMESTEP_SAMPLINGS),
            ("base_weights", BASE_WEIGHTS),
            ("lora_layout", LORA_LAYOUTS),
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
            "max_grad_norm": (0, 1000),
            "caption_dropout": (0, 1),
            "min_snr": (0, 100),
            "noise_offset": (0, 1),
            "timestep_shift": (0, 100),
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
            "seed": (0, 2**64),
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
        t = (step - self.warm_up) / max(1, self.steps - self.warm_up)
        decay = 1 - t if self.schedule == "linear" else (1 + cos(pi * t)) / 2
        return self.learning_rate * (self.floor + (1 - self.floor) * decay)


# What may differ from one round of a run to the next; anything else is another run.
ROUND = (
    "steps",
    "learning_rate",
    "schedule",
    "floor",
    "warm_up",
    "max_grad_norm",
    "caption_dropout",
    "sample_every",
    "save_every",
    "lora_guidance",
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
    if family in TRANSFORMERS:
        # Many are distilled from guidance, and then have one branch (`lora_guidance`).
        one_branch = family in ("Flux", "Flux.2")
        return TrainOptions(steps=800, gradient_checkpointing=True, sample_cfg=1.0 if one_branch else 4.0)
    return TrainOptions()


def to_json(options: TrainOptions) -> dict[str, Any]:
    """Plain values."""
    return asdict(options)


def from_json(values: Mapping[str, Any]) -> TrainOptions:
    """Options from a file, by their present or former names; names that a later version wrote are refused.

    Raises UserError for those, and for values out of range.
    """
    values = with_present_names(values)
    shape = {f"{f.name}?": type(f.default) for f in fields(TrainOptions)}
    unknown = sorted(name for name in values if f"{name}?" not in shape)
    if unknown:
        raise UserError(f"The run was made by a later version: its option '{unknown[0][:60]}' is unknown here.")
    fault = first_fault(dict(values), shape)
    if fault:
        raise UserError(f"The run's options are damaged: {fault}; restore run.json.")
    return TrainOptions(**values)


def with_present_names(values: Mapping[str, Any]) -> dict[str, Any]:
    """Options as a file or a command line holds them, former names and values replaced by the present ones."""
    present = {FORMER_NAMES.get(name, name): value for name, value in values.items()}
    if "lora_guidance" in present:
        present["lora_guidance"] = FORMER_GUIDANCES.get(present["lora_guidance"], present["lora_guidance"])
    return present
