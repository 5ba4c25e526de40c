"""What users plug in: pictures, latents, trajectories and mixes of styles, as sources of reference processes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from comfy_api.latest import io
from torch import Tensor

from ....swf_core.errors import UserError
from ....swf_core.style_file import StyleFile
from ....swf_core.transfer.trajectory import Trajectory
from .patch import StyleSource
from .reference import Encoding, Source

TrajectoryType = io.Custom("SWF_TRAJECTORY")
StyleType = io.Custom("SWF_STYLE")
MixType = io.Custom("SWF_STYLE_MIX")
# A picture however a user has it.
SOURCE_TYPES = [io.Latent, io.Image, TrajectoryType]
ONE_STYLE_TYPES = [*SOURCE_TYPES, StyleType]
STYLE_TYPES = [*ONE_STYLE_TYPES, MixType]


@dataclass(frozen=True, eq=False)
class MixedStyle:
    """One style of a mix as it was plugged in, with its weight and masks [1 or B, H, W]."""

    picture: Any
    vae: Any
    weight: float
    place: Tensor | None
    readable: Tensor | None


def style_sources(value: Any, vae: Any, encoding: Encoding, readable: Tensor | None = None) -> tuple[StyleSource, ...]:
    """The styles of a `style` input: each picture of a batch counts alike, those of a mix by weight and place.

    `readable`: masks of what may be read, one a picture or one for all; styles of a mix bring their own.
    """
    if not isinstance(value, tuple):
        value = (MixedStyle(value, vae, 1.0, None, readable),)
    found = []
    for style in value:
        pictures = sources(style.picture, style.vae if style.vae is not None else vae, encoding, "style")
        for i, source in enumerate(pictures):
            shown = None if style.readable is None else style.readable[i % len(style.readable)]
            found.append(StyleSource(source, style.weight / len(pictures), shown, style.place))
    if all(style.weight == 0.0 for style in found):
        raise UserError("All weights of the style mix are 0; give at least one style a weight above 0.")
    return tuple(found)


def sources(value: Any, vae: Any, encoding: Encoding, what: str) -> list[Source]:
    """One source for each picture of a LATENT, an IMAGE batch or a style file (which need `vae`), or a trajectory.

    Raises UserError for an empty batch, NaN latents, or pictures without a VAE.
    """
    if isinstance(value, Trajectory):
        rows = value.clean.shape[0]
        return [Source(trajectory=value if rows == 1 else _row(value, i)) for i in range(rows)]
    if isinstance(value, StyleFile):
        value = value.picture.permute(1, 2, 0)[None]
    if isinstance(value, Tensor):
        if vae is None:
            raise UserError(f"The {what} is a picture; connect 'vae' too, or give its LATENT.")
        if not len(value):
            raise UserError(f"The {what} is an empty batch; give at least one picture.")
        latents = vae.encode(value[..., :3])
    else:
        latents = value["samples"]
    if latents.dim() != 4 or not len(latents):
        raise UserError(
            f"The {what} latents have shape {tuple(latents.shape)}; they must be [pictures, channels, height, width] "
            "with at least one picture."
        )
    if not torch.isfinite(latents).all():
        raise UserError(f"The {what} latents hold NaN or infinite values; encode the picture again.")
    return [Source(latents=latents[i : i + 1], encoding=encoding) for i in range(len(latents))]


def together(found: list[Source]) -> Source:
    """Sources of pictures of one size as one source of a batch."""
    if len(found) == 1:
        return found[0]
    if any(source.latents is None for source in found):
        raise UserError("Trajectories cannot be put together in a batch; give one content trajectory.")
    return Source(latents=torch.cat([s.latents for s in found if s.latents is not None]), encoding=found[0].encoding)


def _row(trajectory: Trajectory, index: int) -> Trajectory:
    def pick(x: Tensor | None) -> Tensor | None:
        return None if x is None else x[index : index + 1]

    points = {sigma: x[index : index + 1] for sigma, x in trajectory.points.items()}
    clean = trajectory.clean[index : index + 1]
    return Trajectory(clean, points, pick(trajectory.noise), pick(trajectory.statistics_noise))
