"""LATENT dictionaries: what a picture has beside its samples, such as a noise mask, goes on with what is made of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from ...swf_core.transfer.trajectory import Trajectory

SAMPLES, NOISE_MASK = "samples", "noise_mask"


@dataclass
class LatentTrajectory(Trajectory):
    """A trajectory of a LATENT. `beside`: what that held beside its samples."""

    beside: dict[str, Any] = field(default_factory=dict)


def beside_samples(picture: Any) -> dict[str, Any]:
    """What a LATENT, or the trajectory of one, holds beside its samples: noise_mask, batch_index and whatever other
    nodes keep there. Nothing for a picture."""
    if isinstance(picture, LatentTrajectory):
        return dict(picture.beside)
    return {key: value for key, value in picture.items() if key != SAMPLES} if isinstance(picture, dict) else {}


def latent_from(picture: Any, samples: Tensor) -> dict[str, Any]:
    """The LATENT of `samples` made of `picture`, with all else that it held, as the host's samplers give it."""
    return {**beside_samples(picture), SAMPLES: samples}
