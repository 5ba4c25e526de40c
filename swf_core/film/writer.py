"""Films out: pictures with their times as H.264 (8 bits) or HEVC (10 bits) in BT.709, with the sound of another film.

Parts of a film are files of their own, which `join` puts together without encoding again.
"""

from __future__ import annotations

import heapq
import os
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import UserError
from ..files import explain
from .info import import_av, opened

TICKS = Fraction(1, 90000)  # of times in a part: every usual rate's frames fall on one
BT709, LIMITED = 1, 1  # ITU-T H.273
# Quality of both encoders, less is better; no frame refers to a later one, so that parts can be joined.
OPTIONS = {
    "libx264": {"crf": "16", "preset": "medium", "bf": "0"},
    "libx265": {"crf": "16", "preset": "medium", "x265-params": "bframes=0:log-level=none"},
}
ENDINGS = (".mp4", ".mov", ".mkv")


def check_ending(path: Path) -> None:
    """Raise UserError for a name that says a format which is not written."""
    if path.suffix.lower() not in ENDINGS:
        raise UserError(f"'{path}' cannot be written; give a name that ends in {', '.join(ENDINGS)}.")


def write_film(path: Path, frames: Iterable[tuple[Tensor, Fraction]], rate: Fraction, depth: int = 8) -> int:
    """Write pictures [3, H, W], sRGB in 0..1, shown from these times in seconds on; returns how many there were.

    `depth`: 8 bits a channel, or 10 for any more. An odd side gets one more row or column, the last one again, for
    color is stored at half the size. The file appears when it is whole. Raises UserError where it cannot be written.
    """
    av, temporary, count = import_av(), _temporary(path), 0
    codec, kind = ("libx264", "yuv420p") if depth <= 8 else ("libx265", "yuv420p10le")
    try:
        with av.open(str(temporary), "w", format=_format(path)) as out:
            stream = None
            for picture, time in frames:
                if stream is None:
                    stream = _stream(out, codec, kind, rate, picture)
                for packet in stream.encode(_frame(av, picture, time, kind, depth)):
                    out.mux(packet)
                count += 1
            for packet in stream.encode() if stream else ():
                out.mux(packet)
        os.replace(temporary, path)
    except OSError as error:
        raise explain(error, path) from error
    finally:
        temporary.unlink(missing_ok=True)
    return count


def join(path: Path, parts: Sequence[Path], sound_of: Path | None = None) -> None:
    """Put parts together, in this order, with the sound of another film, bit for bit as it is there.

    Raises UserError where the sound does not go into a file of this kind.
    """
    av, temporary = import_av(), _temporary(path)
    try:
        with av.open(str(temporary), "w", format=_format(path)) as out, opened(parts[0]) as (_, first):
            streams = [out.add_stream_from_template(first)]
            flows: list[Iterator[tuple[float, int, Any]]] = [_packets(parts, streams[0])]
            if sound_of is not None:
                with opened(sound_of) as (container, _):
                    names = [(k, sound) for k, sound in enumerate(container.streams.audio)]
                    streams += [out.add_stream_from_template(sound) for _, sound in names]
                    flows += [_sound(sound_of, k, streams[1 + n]) for n, (k, _) in enumerate(names)]
                    _mux(out, flows)
            else:
                _mux(out, flows)
        os.replace(temporary, path)
    except (av.FFmpegError, ValueError) as error:
        raise UserError(f"The sound does not go into '{path.name}'; give a name that ends in .mkv.") from error
    finally:
        temporary.unlink(missing_ok=True)


def _mux(out: Any, flows: Sequence[Iterator[tuple[float, int, Any]]]) -> None:
    """In the order of time, so that a player finds sound and picture side by side."""
    for _, _, packet in heapq.merge(*flows, key=lambda each: each[:2]):
        out.mux(packet)


def _packets(parts: Sequence[Path], stream: Any) -> Iterator[tuple[float, int, Any]]:
    for part in parts:
        with opened(part) as (container, source):
            for packet in container.demux(source):
                if packet.dts is not None:
                    time = float(packet.dts * packet.time_base)
                    packet.stream = stream
                    yield time, 0, packet


def _sound(path: Path, index: int, stream: Any) -> Iterator[tuple[float, int, Any]]:
    with opened(path) as (container, _):
        for packet in container.demux(container.streams.audio[index]):
            if packet.dts is not None:
                time = float(packet.dts * packet.time_base)
                packet.stream = stream
                yield time, 1 + index, packet


def _stream(out: Any, codec: str, kind: str, rate: Fraction, picture: Tensor) -> Any:
    stream = out.add_stream(codec, rate=rate, options=dict(OPTIONS[codec]))
    stream.width, stream.height = (side + side % 2 for side in (picture.shape[2], picture.shape[1]))
    stream.pix_fmt = kind
    context = stream.codec_context
    context.time_base = TICKS
    context.colorspace = context.color_primaries = context.color_trc = BT709
    context.color_range = LIMITED
    return stream


def _frame(av: Any, picture: Tensor, time: Fraction, kind: str, depth: int) -> Any:
    from av.video.reformatter import ColorRange, Colorspace

    height, width = picture.shape[1:]
    padded = torch.nn.functional.pad(picture[None].float(), (0, width % 2, 0, height % 2), mode="replicate")[0]
    most, number, layout = (255, np.uint8, "rgb24") if depth <= 8 else (65535, np.uint16, "rgb48le")
    levels = (padded.clamp(0, 1) * most + 0.5).permute(1, 2, 0).cpu().numpy().astype(number)
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(levels), format=layout)
    # `encode` would convert by BT.601 whatever the stream says (findings/pyav_colorspace_tag.sh).
    frame = frame.reformat(format=kind, dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG)
    frame.pts, frame.time_base = round(time / TICKS), TICKS
    return frame


def _temporary(path: Path) -> Path:
    return path.with_name(f".{path.name}.unfinished")


def _format(path: Path) -> str:
    """By the name's ending; parts are NUT, which keeps times as they are."""
    return {".mp4": "mp4", ".mov": "mov", ".mkv": "matroska"}.get(path.suffix.lower(), "nut")
