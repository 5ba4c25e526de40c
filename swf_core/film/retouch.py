"""A film painted anew, a part at a time: stopped at any moment it goes on, and memory does not grow with its length."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Protocol

from safetensors.torch import load, save
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


class Carried(Protocol):
    """What a painter takes from frame to frame."""

    def state(self) -> dict[str, Tensor]:
        """It as tensors."""
        ...

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Be as when `state` was taken."""
        ...


def retouch(
    source: Path,
    out: Path,
    paint: Paint,
    *,
    settings: str = "",
    segment: int = SEGMENT,
    batch: int = BATCH,
    carried: Carried | None = None,
    progress: Callable[[float], None] | None = None,
) -> FilmInfo:
    """Paint every frame of `source` into the film `out`, with its times and its sound; returns what `source` is.

    `paint` is given `batch` frames at a time, fewer at the end of a part, which has `segment`. `settings`: what it
    depends on; parts of before count if that, the file and these numbers are the same. They lie beside `out` until it
    is whole, and with them what is `carried` from frame to frame. Raises UserError for a film that cannot be read or
    written.
    """
    check_ending(out)
    info = film_info(source)
    parts = out.with_name(f".{out.name}.parts")
    key = {"settings": settings, "segment": segment, "batch": batch, "bytes": source.stat().st_size}
    done = _begin(parts, key, carried)

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
        if carried is not None:
            # copies: the format holds no tensors that share memory
            state = {name: value.clone().contiguous() for name, value in carried.state().items()}
            write_files({_note(part): save(state)})
            if len(done) > 1:
                _note(done[-2]).unlink(missing_ok=True)
    join(out, done, source if info.sound else None)
    shutil.rmtree(parts)
    return info


def _pictures(chunk: Sequence[Frame], paint: Paint) -> Sequence[Tensor]:
    pictures = paint(chunk)
    if len(pictures) != len(chunk):
        raise UserError(f"{len(pictures)} pictures came of {len(chunk)} frames; give one for each.")
    return pictures


def _note(part: Path) -> Path:
    """Where what is carried beyond a part lies; kept for the last one alone."""
    return part.with_suffix(".safetensors")


def _begin(parts: Path, key: dict[str, object], carried: Carried | None) -> list[Path]:
    """The parts that are done, under an equal key; else none, and what was there goes. `carried` is as after them."""
    note = parts / "settings.json"
    if not note.is_file() or json.loads(note.read_text()) != key:
        shutil.rmtree(parts, ignore_errors=True)
        write_files({note: json.dumps(key).encode()})
    done = sorted(parts.glob("*.nut"))
    if carried is None:
        return done
    noted = [k for k, part in enumerate(done) if _note(part).is_file()]
    if not noted:
        return []
    carried.restore(load(_note(done[noted[-1]]).read_bytes()))
    return done[: noted[-1] + 1]
