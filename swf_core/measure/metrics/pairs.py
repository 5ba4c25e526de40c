"""Pairs whose truth is known: a content, a style picture, and the content's scene by the style picture's painter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ...world import TRAINED, Look, Scene, random_look, random_scene, render

PAINTED = tuple(s for s in TRAINED if s != "photo")


@dataclass(frozen=True)
class Pair:
    """Pictures [3, 128, 128] in 0..1. `other` is the truth by the same painter with another seed."""

    content: Tensor
    style: Tensor
    truth: Tensor
    other: Tensor
    scene: Scene
    style_scene: Scene
    look: Look


def picture(scene: Scene, look: Look, size: int = 128) -> Tensor:
    """A rendered picture [3, size, size]."""
    return torch.from_numpy(np.ascontiguousarray(render(scene, look, size).transpose(2, 0, 1)))


def make_pairs(count: int, seed: int, styles: Sequence[str] = PAINTED, matched: bool = True) -> list[Pair]:
    """Pairs from scenes `seed`, `seed` + 1, ...: styles in turn, the content a photo.

    Matched pairs share ground and time of day, for the palette comes from the style picture: only then is "this
    content in that style" with the style's colors a fair target.
    """
    pairs = []
    for i in range(count):
        scene = random_scene(seed + i)
        fixed = {"ground": scene.ground, "time": scene.time} if matched else {}
        style_scene = random_scene(seed + 500_000 + i, **fixed)
        if style_scene.main.kind == scene.main.kind:  # the style's object must be another, or copying would pass
            style_scene = random_scene(seed + 500_000 + i, kind=_other(scene.main.kind, i), **fixed)
        look = random_look(styles[i % len(styles)], seed + i)
        pairs.append(
            Pair(
                picture(scene, random_look("photo", seed + 700_000 + i)),
                picture(style_scene, look),
                picture(scene, look.reseeded(seed + 800_000 + i)),
                picture(scene, look.reseeded(seed + 900_000 + i)),
                scene,
                style_scene,
                look,
            )
        )
    return pairs


def _other(kind: str, i: int) -> str:
    from ...world import OBJECTS

    return OBJECTS[(OBJECTS.index(kind) + 1 + i % (len(OBJECTS) - 1)) % len(OBJECTS)]
