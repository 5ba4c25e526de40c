"""`bench film`: flicker of repainted films whose motion and truth are known, and what it costs in style.

A moving scene a style, 48 frames; the truth is the same frames by the style picture's painter. Flicker is the warped
difference along the exact flow (`metrics/flicker.py`) from a frame to the next and to the twelfth after it (over half
the object's way, where marks that do not go with the thing show); less is steadier. Style and object are the
classifier's. Rows in film.csv (film-quick.csv), a film and a way each, from which a stopped bench continues.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
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
from ...transfer import Content, FilmOptions, FilmPainter, SharedStyles, TransferOptions, stylize
from ...transfer.presets import FAST_STEPS
from ...transfer.word_guidance import by_read_words
from ...words.picture_words import most_said
from ...world import random_look, random_scene
from ...world.moving import MovingScene, moving_scene
from ...world.seeds import TEST_SEED
from ..metrics.distances import bootstrap_difference
from ..metrics.flicker import warped_difference
from ..metrics.measures import measured
from ..metrics.pairs import Pair, picture
from ..trials.reader import PictureReader
from .context import BenchContext, BenchResult
from .tables import Row, as_text, mean_of, read_rows, write_rows

STYLES = ("oil", "woodcut", "stained glass", "pointillism", "halftone", "charcoal")
FRAMES, SHOWN = 48, (0, 1, 2, 12)
BATCH, FAR = 4, 12
READ = slice(0, 25, 8)  # frames whose words are read, as the verb does
BASE = "frame by frame"
MEASURED = ("flicker", "flicker far", "style", "style_probability", "object", "gram_truth", "cpu_seconds_a_frame")
FIELDS = ("film", "way", *MEASURED)


@dataclass(frozen=True, eq=False)
class WorldFilm:
    """A film of the world: a pair a frame."""

    moving: MovingScene
    pairs: list[Pair]

    def flicker(self, frames: Sequence[Tensor], gap: int) -> float:
        """The mean warped difference of frames [3, H, W] that are `gap` apart; 0 where there are none."""
        parts = []
        for k in range(len(frames) - gap):
            flow, seen = (torch.from_numpy(part) for part in self.moving.flow(k, gap))
            parts.append(warped_difference(frames[k], frames[k + gap], flow, seen))
        return sum(parts) / max(len(parts), 1)


# A film and all that its words are read from in, frames out.
Way = Callable[[WorldFilm, Sequence[str]], list[Tensor]]


def run(context: BenchContext) -> BenchResult:
    """Six films of 48 frames in 8 steps. Quick: one of three."""
    styles, frames = (STYLES[1:2], 3) if context.quick else (STYLES, FRAMES)
    table = context.out / ("film-quick.csv" if context.quick else "film.csv")
    rows, pages, read = read_rows(table), [], PictureReader(lambda *_: None)
    ways = ways_of(context.backend, film_options(context.backend))
    for k, style in enumerate(styles):
        missing = [name for name in ways if not any(row["film"] == style and row["way"] == name for row in rows)]
        if not missing:
            continue
        film = world_film(k, style, frames)
        prompts, painted = read(film.pairs), {}
        for number, name in enumerate(missing):
            began = time.process_time()
            painted[name] = ways[name](film, prompts)
            spent = (time.process_time() - began) / frames
            rows.append(as_text({"film": style, "way": name} | _measured(context, film, painted[name], spent)))
            write_rows(table, rows, FIELDS)
            context.bar((k + (number + 1) / len(missing)) / len(styles))
        pages += _page_rows(film, painted, list(ways))
    report = {"films": len({row["film"] for row in rows}), "frames": frames, "steps": FAST_STEPS} | _summary(rows, ways)
    return report, {"": sheet(pages, ["content", "style", *ways], [], cell_px=96)} if pages else {}


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
    return WorldFilm(moving, pairs)


def film_options(backend: Backend) -> TransferOptions:
    """What the verb runs where nothing is said, in fewer steps."""
    return replace(by_read_words(backend), size_px=0, steps=FAST_STEPS)


def ways_of(backend: Backend, options: TransferOptions) -> dict[str, Way]:
    """Frame by frame, as a batch of pictures would be painted; as a film whose frames share words, style and noise; and
    as the verb does, with noise that follows the motion and a key frame; the truth."""

    def finished(frame: Tensor, pair: Pair) -> Tensor:
        return with_fine_detail(frame.clamp(0, 1), pair.content, backend.codec, FINE_DETAIL)

    def frame_by_frame(film: WorldFilm, prompts: Sequence[str]) -> list[Tensor]:
        frames = []
        for k, (pair, prompt) in enumerate(zip(film.pairs, prompts, strict=True)):
            content = Content(pair.content, prompt, seed=job_seed(0, Path(f"frame{k:04d}.png"), ()))
            frames.append(finished(stylize(backend, [content], [pair.style], options).images[0], pair))
        return frames

    def as_film(film: WorldFilm, prompts: Sequence[str], how: FilmOptions) -> list[Tensor]:
        shared, painter = SharedStyles(backend, [film.pairs[0].style], options), FilmPainter(how)
        frames: list[Tensor] = []
        for first in range(0, len(film.pairs), BATCH):
            pairs = film.pairs[first : first + BATCH]
            images = painter.paint(shared, [pair.content for pair in pairs], most_said(prompts[READ]))
            frames += [finished(image, pair) for image, pair in zip(images, pairs, strict=True)]
        return frames

    return {
        BASE: frame_by_frame,
        "one noise": lambda film, prompts: as_film(film, prompts, FilmOptions("still", 0.0)),
        "film": lambda film, prompts: as_film(film, prompts, FilmOptions()),
        "truth": lambda film, _: [pair.truth for pair in film.pairs],
    }


def _measured(context: BenchContext, film: WorldFilm, frames: Sequence[Tensor], spent: float) -> dict[str, float]:
    values = measured(context.classifier, context.features, film.pairs, torch.stack(list(frames)))
    means = {name: sum(row[name] for row in values) / len(values) for name in MEASURED[2:-1]}
    apart = {"flicker": film.flicker(frames, 1), "flicker far": film.flicker(frames, FAR)}
    return {name: round(value, 5) for name, value in (apart | means | {MEASURED[-1]: spent}).items()}


def _page_rows(film: WorldFilm, painted: Mapping[str, list[Tensor]], ways: Sequence[str]) -> list[list[Tensor | None]]:
    rows: list[list[Tensor | None]] = []
    for at in (each for each in SHOWN if each < len(film.pairs)):
        shown = [painted[name][at] if name in painted else None for name in ways]
        rows.append([film.pairs[at].content, film.pairs[at].style, *shown])
    return rows


def _summary(rows: Sequence[Row], ways: Mapping[str, Way]) -> dict[str, Any]:
    """Means by way; flicker as a share of frame by frame's, and style less its, over films with 95 % intervals."""
    of = {name: {row["film"]: row for row in rows if row["way"] == name} for name in ways}
    films = [film for film in of[BASE] if all(film in each for each in of.values())]
    report: dict[str, Any] = {name: {m: mean_of([of[name][f] for f in films], m) for m in MEASURED} for name in ways}

    def column(way: str, name: str) -> Tensor:
        return torch.tensor([float(of[way][film][name]) for film in films], dtype=torch.float64)

    for name in ways:
        share = column(name, "flicker") / column(BASE, "flicker")
        for key, a, b in (
            ("flicker, as a share", share, torch.zeros_like(share)),
            ("style probability less", column(name, "style_probability"), column(BASE, "style_probability")),
            ("style less", column(name, "style"), column(BASE, "style")),
        ):
            report[name][f"{key} of {BASE}"] = [round(v, 4) for v in bootstrap_difference(a, b)]
    return {"ways": report}
