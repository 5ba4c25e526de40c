"""What users plug in: pictures, latents and trajectories, as sources of reference processes; masks."""

from __future__ import annotations

from typing import Any

import torch
from comfy_api.latest import io
from torch import Tensor

from ...swf_core.errors import UserError
from ...swf_core.style_file import StyleFile
from ...swf_core.transfer.trajectory import Trajectory
from .reference import Encoding, Source

TrajectoryType = io.Custom("SWF_TRAJECTORY")
StyleType = io.Custom("SWF_STYLE")
# A picture however a user has it.
SOURCE_TYPES = [io.Latent, io.Image, TrajectoryType]
STYLE_TYPES = [*SOURCE_TYPES, StyleType]


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
