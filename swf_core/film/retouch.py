"""A film painted anew, a part at a time: stopped at any moment it goes on, and memory does not grow with its length."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import islice
from pathlib import Path

from torch import Tensor

from ..errors import UserError
from ..files import write_files
from .info import FilmInfo, film_info
from .reader import Frame, frames_of
from .writer import check_ending, join, write_film

SEGMENT = 48  # frames of a part: what a stop loses at most
BATCH = 4  # frames that are in memory at a time

# Paints frames that follow each other; gives as many pictures [3, H, W], of one size for the whole film.
Paint = Callable[[Sequence[Frame]], Sequence[Tensor]]


def retouch(
    source: Path,
    out: Path,
    paint: Paint,
    *,
    settings: str = "",
    segment: int = SEGMENT,
    batch: int = BATCH,
    progress: Callable[[float], None] | None = None,
) -> FilmInfo:
    """Paint every frame of `source` into the film `out`, with its times and its sound; returns what `source` is.

    `paint` is given `batch` frames at a time, fewer at the end of a part, which has `segment`. `settings`: what it
    depends on; parts of before count if that, the file and these numbers are the same. They lie beside `out` until it
    is whole. Raises UserError for a film that cannot be read or written.
    """
    check_ending(out)
    info = film_info(source)
    parts = out.with_name(f".{out.name}.parts")
    key = {"settings": settings, "segment": segment, "batch": batch, "bytes": source.stat().st_size}
    done = _begin(parts, key)

    def painted(first: list[Frame], left: int) -> Iterator[tuple[Tensor, Fraction]]:
        chunk = first
        while chunk:
            yield from zip(_pictures(chunk, paint), (frame.time for frame in chunk), strict=True)
            if progress is not None and info.frames:
                progress(min(1.0, (chunk[-1].index + 1) / info.frames))
            left -= len(chunk)
            chunk = list(islice(frames, min(batch, left)))

    frames = frames_of(source, first=len(done) * segment)
    while first := list(islice(frames, min(batch, segment))):
        part = parts / f"{len(done):06d}.nut"
        write_film(part, painted(first, segment), info.rate, info.depth)
        done.append(part)
    join(out, done, source if info.sound else None)
    shutil.rmtree(parts)
    return info


def _pictures(chunk: Sequence[Frame], paint: Paint) -> Sequence[Tensor]:
    pictures = paint(chunk)
    if len(pictures) != len(chunk):
        raise UserError(f"{len(pictures)} pictures came of {len(chunk)} frames; give one for each.")
    return pictures


def _begin(parts: Path, key: dict[str, object]) -> list[Path]:
    """The parts that are done, under an equal key; else none, and what was there goes."""
    note = parts / "settings.json"
    if not note.is_file() or json.loads(note.read_text()) != key:
        shutil.rmtree(parts, ignore_errors=True)
        write_files({note: json.dumps(key).encode()})
    return sorted(parts.glob("*.nut"))
