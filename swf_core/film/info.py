"""What a film is: size as it is shown, times, depth, light, sound."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from ..errors import UserError

# ITU-T H.273, transfer characteristics.
PQ, HLG = 16, 18
TRANSFERS = {PQ: "pq", HLG: "hlg"}


@dataclass(frozen=True)
class FilmInfo:
    """A film's first video stream.

    * width, height: as it is shown, turned upright and with square pixels' count as stored.
    * rate: frames a second, an average where times vary. frames: how many there are, None where the file does not say.
    * depth: bits of a channel. transfer: "sdr", or "pq" or "hlg", which are high dynamic range.
    * turned: by how many degrees, counterclockwise, the stored pictures are turned to stand upright.
    * sound: whether there is any.
    """

    path: Path
    width: int
    height: int
    rate: Fraction
    frames: int | None
    depth: int
    transfer: str
    turned: int
    sound: bool


def import_av() -> Any:
    """PyAV. Raises UserError where it is not installed."""
    try:
        import av
    except ImportError as error:
        raise UserError(
            "Films need the package av (PyAV), which is not installed; install av, or give pictures."
        ) from error
    return av


@contextmanager
def opened(path: Path) -> Iterator[tuple[Any, Any]]:
    """A film open for reading, and its first video stream. Raises UserError where it is no film."""
    av = import_av()
    if not path.is_file():
        raise UserError(f"The film '{path}' does not exist.")
    try:
        container = av.open(str(path))
    except (av.FFmpegError, OSError, ValueError) as error:
        raise UserError(f"'{path}' is not a film that can be read (MP4, MOV, MKV, WebM, AVI, ...).") from error
    try:
        if container.format.name.endswith("_pipe") or container.format.name == "image2":  # FFmpeg opens pictures too
            raise UserError(f"'{path}' is a picture, not a film; use stylize.")
        if not container.streams.video:
            raise UserError(f"'{path}' holds no pictures, only sound; give a film.")
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        yield container, stream
    except av.FFmpegError as error:
        raise UserError(f"'{path}' is broken and cannot be read as a film.") from error
    finally:
        container.close()


def film_info(path: Path) -> FilmInfo:
    """Of a file; its first frame is decoded. Raises UserError where it is no film."""
    with opened(path) as (container, stream):
        first = next(container.decode(stream), None)
        if first is None:
            raise UserError(f"The film '{path}' has no frames.")
        turned = int(getattr(first, "rotation", 0) or 0) % 360
        width, height = (first.height, first.width) if turned in (90, 270) else (first.width, first.height)
        return FilmInfo(
            path,
            width,
            height,
            Fraction(stream.average_rate or stream.guessed_rate or 25),
            int(stream.frames) or None,
            first.format.components[0].bits,
            TRANSFERS.get(int(first.color_trc or 0), "sdr"),
            turned,
            bool(container.streams.audio),
        )
