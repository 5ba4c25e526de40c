"""Stages of mini-flow in `mini build`: what they are given, and the files they leave in `weights/flow`."""

from __future__ import annotations

from typing import Any

import torch

from ..errors import UserError
from ..models.mini.vae import to_taesd
from ..models.mini.weight_files import write_weights
from . import stage_vae
from .build_folder import Build, stage_weights
from .package_pictures import RealPicture, package_pictures
from .stage_flow_vae import FlowVaePictures, begin_with, train_flow_vae

# World pictures at 128 px, and half as many at 256 px.
WORLD_PICTURES = {"flow_train": 4096, "flow_held_out": 1024}


def run_flow_vae(build: Build, stage: str) -> dict[str, Any]:
    """Train one stage of the autoencoder and write it; the report has the packages its pictures came from.

    Raises UserError when no folder of packages is given or the stage before is not done.
    """
    if build.packages is None:
        raise UserError(
            f"Stage {stage!r} learns from pictures of public packages; unpack them and give their folder (--pictures)."
        )
    number = int(stage.rsplit("-", 1)[1])
    forerunner = "vae" if number == 1 else f"flow-vae-{number - 1}"
    start = build.weights / "vae.safetensors" if number == 1 else build.out / forerunner / "vae.safetensors"
    taesd, _ = stage_weights(start, forerunner)
    torch.manual_seed(build.seed + 40 + number)
    model = begin_with(taesd)
    real = package_pictures(build.packages, build.out / "pictures" / "packages")
    report = train_flow_vae(model, _pictures(build, real), stage, build.settings(stage, offset=40 + number))
    metadata = {"format": "TAESD", "stage": stage, "latent_channels": model.latent_channels}
    for folder in (build.out / stage, build.weights / "flow"):
        folder.mkdir(parents=True, exist_ok=True)
        write_weights(folder / "vae.safetensors", to_taesd(model), metadata)
    return report | {"packages": _counted(real)}


def _pictures(build: Build, real: list[RealPicture]) -> FlowVaePictures:
    world = [
        build.counted(name, build.counts[f"flow_{name}"] // share, size)
        for name in ("train", "held_out")
        for size, share in ((128, 1), (256, 2))
    ]
    by_kind = {kind: [p.pixels for p in real if p.kind == kind] for kind in ("photograph", "painting")}
    return FlowVaePictures(world, by_kind["photograph"] + stage_vae.real_photographs(), by_kind["painting"])


def _counted(real: list[RealPicture]) -> dict[str, int]:
    """Package to how many of its pictures are used."""
    counts: dict[str, int] = {}
    for picture in real:
        counts[picture.package] = counts.get(picture.package, 0) + 1
    return counts
