"""`bench film`: flicker of repainted films whose motion and truth are known, and what it costs in style.

A moving scene a style, 24 frames; the truth is the same frames by the style picture's painter. Flicker is the warped
difference along the exact flow (`metrics/flicker.py`), less is steadier; style and object are the classifier's.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ...batch import job_seed
from ...color.fine_detail import with_fine_detail
from ...models.contracts import Backend
from ...pictures import sheet
from ...presets import FINE_DETAIL
from ...transfer import Content, SharedStyles, stylize
from ...transfer.word_guidance import by_read_words
from ...world import random_look, random_scene
from ...world.moving import MovingScene, moving_scene
from ...world.seeds import TEST_SEED
from ..metrics.flicker import flicker
from ..metrics.measures import measured
from ..metrics.pairs import Pair, picture
from ..trials.reader import PictureReader
from .context import BenchContext, BenchResult

STYLES = ("oil", "woodcut", "stained glass", "pointillism", "halftone", "charcoal")
FRAMES, SHOWN = 24, (0, 1, 2, 12)
BATCH = 4


@dataclass(frozen=True, eq=False)
class WorldFilm:
    """A film of the world: a pair a frame, and the flow to the next one with what is seen in both."""

    moving: MovingScene
    pairs: list[Pair]
    flows: list[tuple[Tensor, Tensor]]


# Frames in, frames out; prompts are what is read of each frame.
Way = Callable[[WorldFilm, Sequence[str]], list[Tensor]]


def run(context: BenchContext) -> BenchResult:
    """Six films of 24 frames. Quick: one of three."""
    styles, frames = (STYLES[1:2], 3) if context.quick else (STYLES, FRAMES)
    films = [world_film(k, style, frames) for k, style in enumerate(styles)]
    reader = PictureReader(lambda *_: None)
    found: dict[str, list[dict[str, float]]] = {}
    rows: list[list[Tensor | None]] = []
    for k, film in enumerate(films):
        prompts = reader(film.pairs)
        ways = ways_of(context.backend) | {"truth": lambda film, _: [pair.truth for pair in film.pairs]}
        painted: dict[str, list[Tensor]] = {}
        for number, (name, way) in enumerate(ways.items()):
            began = time.process_time()
            painted[name] = way(film, prompts)
            spent = (time.process_time() - began) / frames
            values = measured(context.classifier, context.features, film.pairs, torch.stack(painted[name]))
            means = {key: statistics.mean(row[key] for row in values) for key in ("style", "object", "gram_truth")}
            found.setdefault(name, []).append(
                {"flicker": flicker(painted[name], film.flows), **means, "cpu_seconds_a_frame": spent}
            )
            context.bar((k + (number + 1) / len(ways)) / len(films))
        for at in (each for each in SHOWN if each < frames):
            row: list[Tensor | None] = [film.pairs[at].content, film.pairs[at].style]
            rows.append([*row, *(painted[name][at] for name in ways)])
    report = {name: _means(each) for name, each in found.items()}
    for name in report:
        report[name]["flicker, as a share of frame by frame"] = round(
            report[name]["flicker"] / report["frame by frame"]["flicker"], 3
        )
    page = sheet(rows, ["content", "style", *found], [], cell_px=96)
    return {"films": len(films), "frames": frames, "ways": report}, {"": page}


def world_film(number: int, style: str, frames: int) -> WorldFilm:
    """A moving scene, and the style picture of another scene of its ground and hour."""
    moving = moving_scene(TEST_SEED + 900_000 + number)
    scene, look = moving.scene, random_look(style, TEST_SEED + 910_000 + number)
    style_scene = random_scene(TEST_SEED + 920_000 + number, ground=scene.ground, time=scene.time)
    style_picture = picture(style_scene, look)
    plain, truth = random_look("photo", TEST_SEED + 930_000 + number), look.reseeded(TEST_SEED + 940_000 + number)
    other = look.reseeded(TEST_SEED + 950_000 + number)
    pairs = []
    for k in range(frames):
        at = moving.at(k)
        shown = picture(at, plain)
        pairs.append(Pair(shown, style_picture, picture(at, truth), picture(at, other), at, style_scene, look))
    flows = [tuple(torch.from_numpy(part) for part in moving.flow(k)) for k in range(frames - 1)]
    return WorldFilm(moving, pairs, flows)  # pyright: ignore[reportArgumentType]


def ways_of(backend: Backend) -> dict[str, Way]:
    """Frame by frame, as a batch of pictures would be painted, and so with one seed for all; and as a film: one bank of
    the style, the words of the first frame, one noise."""
    options = replace(by_read_words(backend), size_px=0)

    def finished(frame: Tensor, pair: Pair) -> Tensor:
        return with_fine_detail(frame.clamp(0, 1), pair.content, backend.codec, FINE_DETAIL)

    def frame_by_frame(film: WorldFilm, prompts: Sequence[str], one_seed: bool = False) -> list[Tensor]:
        frames = []
        for k, (pair, prompt) in enumerate(zip(film.pairs, prompts, strict=True)):
            seed = 0 if one_seed else job_seed(0, Path(f"frame{k:04d}.png"), ())
            content = Content(pair.content, prompt, seed=seed)
            frames.append(finished(stylize(backend, [content], [pair.style], options).images[0], pair))
        return frames

    def as_film(film: WorldFilm, prompts: Sequence[str]) -> list[Tensor]:
        shared, frames = SharedStyles(backend, [film.pairs[0].style], options), []
        for first in range(0, len(film.pairs), BATCH):
            pairs = film.pairs[first : first + BATCH]
            images = shared.stylize([Content(pair.content, prompts[0]) for pair in pairs]).images
            frames += [finished(image, pair) for image, pair in zip(images, pairs, strict=True)]
        return frames

    return {
        "frame by frame": frame_by_frame,
        "frame by frame, one seed": lambda film, prompts: frame_by_frame(film, prompts, one_seed=True),
        "film": as_film,
    }


def _means(films: Sequence[dict[str, float]]) -> dict[str, Any]:
    return {key: round(statistics.mean(film[key] for film in films), 4) for key in films[0]}
