"""What users plug in as content and style: pictures, latents, trajectories, style files and mixes of styles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from comfy_api.latest import io
from torch import Tensor

from ....swf_core.errors import UserError
from ....swf_core.transfer.trajectory import Encoding, Trajectory
from .noise_levels import noise_levels
from .plan import LatentSource, Source, StyleSource, TrajectorySource

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


def style_sources(
    value: Any, vae: Any, encoding: Encoding, readable: Tensor | None = None, size_px: int = 0
) -> tuple[StyleSource, ...]:
    """The styles of a `style` input: each picture of a batch counts alike, those of a mix by weight and place.

    `readable`: masks of what may be read, one a picture or one for all; styles of a mix bring their own.
    """
    if not isinstance(value, tuple):
        value = (MixedStyle(value, vae, 1.0, None, readable),)
    styles = []
    for style in value:
        own_vae = style.vae if style.vae is not None else vae
        pictures = picture_sources(style.picture, own_vae, encoding, "style", size_px)
        for i, source in enumerate(pictures):
            mask = None if style.readable is None else style.readable[i % len(style.readable)]
            styles.append(StyleSource(source, style.weight / len(pictures), mask, style.place))
    if all(style.weight == 0.0 for style in styles):
        raise UserError("All weights of the style mix are 0; give at least one style a weight above 0.")
    return tuple(styles)


def picture_sources(value: Any, vae: Any, encoding: Encoding, name: str, size_px: int = 0) -> list[Source]:
    """One source for each row of a trajectory, or for each picture that `picture_latents` reads."""
    if isinstance(value, Trajectory):
        rows = value.clean.shape[0]
        return [TrajectorySource(value if rows == 1 else _row(value, i)) for i in range(rows)]
    latents = picture_latents(value, vae, name, size_px)
    return [LatentSource(latents[i : i + 1], encoding) for i in range(len(latents))]


def picture_latents(value: Any, vae: Any, name: str, size_px: int = 0) -> Tensor:
    """Clean latents [pictures, C, h, w] of a LATENT, an IMAGE batch or a style file (which need `vae`).

    `size_px`: the long side that pictures are scaled to, 0 for as they are; latents are taken as they are.
    Raises UserError, naming the input, for an empty batch, NaN latents, pictures without a VAE or too thin.
    """
    from ....swf_core.style_file import StyleFile

    if isinstance(value, StyleFile):
        value = value.picture.permute(1, 2, 0)[None]
    if isinstance(value, Tensor):
        if vae is None:
            raise UserError(f"The {name} is a picture; connect 'vae' too, or give its LATENT.")
        if not len(value):
            raise UserError(f"The {name} is an empty batch; give at least one picture.")
        latents = vae.encode(_scaled(value, name, size_px))
    else:
        latents = value["samples"]
    if latents.dim() == 5 and latents.shape[2] == 1:  # of models that know films: one frame is a picture
        latents = latents[:, :, 0]
    if latents.dim() != 4 or not len(latents):
        raise UserError(
            f"The {name} latents have shape {tuple(latents.shape)}; they must be [pictures, channels, height, width] "
            "with at least one picture, or have one frame before the height."
        )
    if not torch.isfinite(latents).all():
        raise UserError(f"The {name} latents hold NaN or infinite values; encode the picture again.")
    return latents


def size_input() -> Any:
    """The widget `size`, for the end of a schema."""
    return io.Int.Input(
        "size",
        default=0,
        min=0,
        max=8192,
        step=8,
        optional=True,
        tooltip="Long side in pixels that IMAGE inputs are scaled to, aspect kept; 0 is the model's native size (mini "
        "128, SD1.x 512, SDXL 1024). A picture of that size is taken as it is, and so are latents.",
    )


def working_size(size: int, native_px: int) -> int:
    """The long side of the widget `size`, of which 0 means the model's native one."""
    from ....swf_core.pictures import SMALLEST_PX

    if 0 < size < SMALLEST_PX:
        raise UserError(f"size is {size}; give 0 for the model's native {native_px} px, or at least {SMALLEST_PX}.")
    return size or native_px


def _scaled(images: Tensor, name: str, size_px: int) -> Tensor:
    """IMAGE [B, H, W, C] -> [B, h, w, 3], its long side scaled as the command line does; the VAE crops to its cells."""
    from ....swf_core.pictures import check_size
    from ....swf_core.transfer.sizes import to_long_side

    if images.dim() != 4 or images.shape[-1] < 3:
        raise UserError(
            f"The {name} image has shape {tuple(images.shape)}; it must be [pictures, height, width, 3 channels]."
        )
    pictures = images[..., :3]
    try:
        check_size(pictures[0].movedim(-1, 0), size_px or max(images.shape[1:3]))
    except UserError as error:
        raise UserError(f"{name.capitalize()}: {error}") from error
    if size_px in (0, max(images.shape[1:3])):
        return pictures
    return torch.stack([to_long_side(picture.movedim(-1, 0), size_px).movedim(0, -1) for picture in pictures])


def as_batch(sources: Sequence[Source]) -> Source:
    """Sources of pictures of one size as one source of a batch."""
    if len(sources) == 1:
        return sources[0]
    latents = [source for source in sources if isinstance(source, LatentSource)]
    if len(latents) < len(sources):
        raise UserError("Trajectories cannot be put together in a batch; give one content trajectory.")
    return LatentSource(torch.cat([source.latents for source in latents]), latents[0].encoding)


def clean_latents(source: Source, model: Any) -> Tensor:
    """A source's clean latents as LATENT holds them; `model`: the MODEL that a trajectory belongs to."""
    if isinstance(source, LatentSource):
        return source.latents
    levels = noise_levels(model.model)
    return levels.picture(model.model.process_latent_out(levels.framed(source.trajectory.clean)))


def _row(trajectory: Trajectory, index: int) -> Trajectory:
    def row_of(x: Tensor | None) -> Tensor | None:
        return None if x is None else x[index : index + 1]

    points = {sigma: x[index : index + 1] for sigma, x in trajectory.points.items()}
    clean = trajectory.clean[index : index + 1]
    return Trajectory(clean, points, row_of(trajectory.noise), row_of(trajectory.statistics_noise))
