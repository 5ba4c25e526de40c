"""Films: times, sound, depth, light and turns are kept; stopped and gone on with, a film is as unbroken."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from swf_core.errors import UserError
from swf_core.film import film_info, frames_of, retouch, write_film
from swf_core.film.info import opened
from swf_core.film.reader import Frame
from swf_core.film.tone_map import display_light, standard_range

try:
    import av
except ImportError:  # as in ComfyUI's environment, which collects this file and runs none of it
    av: Any = None
RATE = Fraction(25)
# As cameras of phones give it: a frame late, a frame early, a pause.
TIMES = [Fraction(v) for v in ("0", "0.04", "0.08", "0.13", "0.16", "0.2", "0.24", "0.4", "0.44", "0.48")]


def shade(k: int, height: int = 48, width: int = 64) -> Tensor:
    """A picture that says its number: a ramp to the right, red by number, and a white corner at the top left."""
    picture = torch.linspace(0.1, 0.9, width).expand(3, height, width).clone()
    picture[0] = 0.1 + 0.08 * k
    picture[:, :8, :8] = 1.0
    return picture


def film(path: Path, pictures: Sequence[Tensor], times: Sequence[Fraction] = TIMES, depth: int = 8) -> Path:
    write_film(path, zip(pictures, times, strict=False), RATE, depth)
    return path


def with_sound(path: Path, picture: Path, codec: str = "aac") -> Path:
    """A film's pictures beside a tone of half a second."""
    with av.open(str(path), "w") as out, opened(picture) as (container, stream):
        shown = out.add_stream_from_template(stream)
        tone = out.add_stream(codec, rate=48000, layout="mono")
        for packet in container.demux(stream):
            if packet.dts is not None:
                packet.stream = shown
                out.mux(packet)
        wave = (0.3 * np.sin(np.arange(24000) * 2 * np.pi * 440 / 48000)).astype(np.float32)
        for first in range(0, 24000, 1000):
            frame = av.AudioFrame.from_ndarray(wave[None, first : first + 1000], format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 48000, first
            for packet in tone.encode(frame):
                out.mux(packet)
        for packet in tone.encode():
            out.mux(packet)
    return path


def sound_of(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(p) for p in container.demux(container.streams.audio[0]) if p.dts is not None]


def worst(a: Tensor, b: Tensor) -> float:
    return float((a - b).abs().mean((1, 2)).max())


@pytest.mark.parametrize("depth", [8, 10])
@pytest.mark.parametrize("name", ["film.mp4", "film.mkv"])
def test_pictures_and_their_times_come_back(tmp_path: Path, depth: int, name: str) -> None:
    pictures = [shade(k) for k in range(len(TIMES))]
    path = film(tmp_path / name, pictures, depth=depth)
    info = film_info(path)
    assert (info.width, info.height, info.depth, info.transfer, info.sound) == (64, 48, depth, "sdr", False)
    frames = list(frames_of(path))
    slack = Fraction(1, 1000) if name.endswith("mkv") else 0  # Matroska counts milliseconds
    assert [frame.index for frame in frames] == list(range(len(TIMES)))
    assert all(abs(frame.time - time) <= slack for frame, time in zip(frames, TIMES, strict=True))
    for frame, picture in zip(frames, pictures, strict=True):
        assert worst(frame.pixels, picture) < (0.02 if depth == 8 else 0.015)
    part = list(frames_of(path, 3, 4))
    assert [frame.index for frame in part] == [3, 4, 5, 6] and torch.equal(part[0].pixels, frames[3].pixels)
    assert not list(tmp_path.glob(".*"))


def test_an_odd_side_gets_its_last_row_again(tmp_path: Path) -> None:
    (frame, *_) = frames_of(film(tmp_path / "odd.mp4", [shade(0, 33, 47)]))
    assert frame.pixels.shape == (3, 34, 48) and worst(frame.pixels[:, :33, :47], shade(0, 33, 47)) < 0.03


class Darker:
    """Paints by halving; `stops` after so many frames, as a person does."""

    def __init__(self, stops: int | None = None):
        self.left, self.sizes = stops, []

    def __call__(self, frames: Sequence[Frame]) -> list[Tensor]:
        self.sizes.append(len(frames))
        if self.left is not None:
            self.left -= len(frames)
            if self.left < 0:
                raise KeyboardInterrupt
        return [frame.pixels / 2 for frame in frames]


def test_a_film_is_painted_with_its_times_and_sound_and_goes_on_after_a_stop(tmp_path: Path) -> None:
    silent = film(tmp_path / "silent.mp4", [shade(k) for k in range(10)])
    source = with_sound(tmp_path / "source.mp4", silent)
    said: list[float] = []
    info = retouch(source, tmp_path / "whole.mp4", Darker(), segment=4, batch=3, progress=said.append)
    assert info.sound and said == [0.3, 0.4, 0.7, 0.8, 1.0]
    with pytest.raises(KeyboardInterrupt):
        retouch(source, tmp_path / "resumed.mp4", Darker(stops=5), segment=4, batch=3)
    assert not (tmp_path / "resumed.mp4").exists()
    again = Darker()
    retouch(source, tmp_path / "resumed.mp4", again, segment=4, batch=3)
    assert again.sizes == [3, 1, 2]
    assert (tmp_path / "resumed.mp4").read_bytes() == (tmp_path / "whole.mp4").read_bytes()
    frames = list(frames_of(tmp_path / "whole.mp4"))
    assert [frame.time for frame in frames] == [frame.time for frame in frames_of(source)] == TIMES
    for frame, before in zip(frames, frames_of(source), strict=True):
        assert worst(frame.pixels, before.pixels / 2) < 0.02
    assert sound_of(tmp_path / "whole.mp4") == sound_of(source)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["resumed.mp4", "silent.mp4", "source.mp4", "whole.mp4"]


def test_parts_made_with_other_settings_count_for_nothing(tmp_path: Path) -> None:
    source = film(tmp_path / "source.mp4", [shade(k) for k in range(6)])
    with pytest.raises(KeyboardInterrupt):
        retouch(source, tmp_path / "out.mp4", Darker(stops=3), segment=3, settings="a")
    again = Darker()
    retouch(source, tmp_path / "out.mp4", again, segment=3, settings="b")
    assert again.sizes == [3, 3]


def test_a_turned_film_stands_upright(tmp_path: Path) -> None:
    """Players turn by the display matrix; PyAV writes none, so one is put into a real file by hand."""
    path = film(tmp_path / "turned.mp4", [shade(0)])
    data = path.read_bytes()
    upright = b"".join(v.to_bytes(4, "big") for v in (0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000))
    quarter = b"".join((v % 2**32).to_bytes(4, "big") for v in (0, 0x10000, 0, -0x10000, 0, 0, 48 << 16, 0, 0x40000000))
    at = data.index(upright, data.index(b"tkhd"))  # the film's own matrix stands before the track's
    path.write_bytes(data[:at] + quarter + data[at + len(upright) :])
    info, (frame, *_) = film_info(path), list(frames_of(path))
    assert (info.width, info.height) == (48, 64) and frame.pixels.shape == (3, 64, 48)
    # A quarter clockwise: the corner at the top left stands at the top right.
    assert frame.pixels[:, :6, -6:].min() > 0.9 and frame.pixels[:, :6, :6].min() < 0.9


def test_high_dynamic_range_becomes_standard_range() -> None:
    def signal(light: float) -> Tensor:  # BT.2100's inverse, by bisection
        low, high = 0.0, 1.0
        for _ in range(60):
            middle = (low + high) / 2
            value = float(display_light(torch.full((3, 1, 1), middle, dtype=torch.float64), "pq")[0])
            low, high = (middle, high) if value < light else (low, middle)
        return torch.full((3, 1, 1), low)

    assert float(display_light(torch.ones(3, 1, 1, dtype=torch.float64), "pq")[0]) == pytest.approx(10000, rel=1e-6)
    assert float(display_light(torch.ones(3, 1, 1, dtype=torch.float64), "hlg")[0]) == pytest.approx(1000, rel=1e-3)
    # BT.2408: reference white is 58 % of PQ and 75 % of HLG.
    assert float(signal(203.0)[0]) == pytest.approx(0.58, abs=0.005)
    assert float(display_light(torch.full((3, 1, 1), 0.75, dtype=torch.float64), "hlg")[0]) == pytest.approx(
        203, rel=0.01
    )
    greys = [float(standard_range(signal(light), "pq").mean()) for light in (1.0, 20.0, 203.0, 1000.0)]
    assert greys == sorted(greys) and 0.7 < greys[2] < 0.8 and greys[3] == pytest.approx(1.0, abs=0.005)
    picture = torch.rand(3, 4, 4)
    assert standard_range(picture, "sdr") is picture


def test_a_film_that_is_marked_as_pq_is_brought_to_standard_range(tmp_path: Path) -> None:
    path = tmp_path / "pq.mkv"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx265", rate=25, options={"crf": "4", "x265-params": "log-level=none"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p10le"
        stream.codec_context.color_trc, stream.codec_context.color_primaries = 16, 9
        stream.codec_context.colorspace, stream.codec_context.color_range = 9, 1
        grey = np.full((48, 64, 3), round(0.58 * 65535), np.uint16)
        frame: Any = av.VideoFrame.from_ndarray(grey, format="rgb48le")
        frame.pts = 0
        for packet in [*stream.encode(frame), *stream.encode()]:
            out.mux(packet)
    info, (frame, *_) = film_info(path), list(frames_of(path))
    assert (info.transfer, info.depth) == ("pq", 10)
    expected = standard_range(torch.full((3, 1, 1), 0.58), "pq")
    assert worst(frame.pixels, expected.expand(3, 48, 64)) < 0.01


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [("none.mp4", None, "does not exist"), ("text.mp4", b"no film at all" * 50, "not a film")],
)
def test_what_is_no_film_is_one_sentence(tmp_path: Path, name: str, data: bytes | None, said: str) -> None:
    if data is not None:
        (tmp_path / name).write_bytes(data)
    with pytest.raises(UserError, match=said):
        film_info(tmp_path / name)
    with pytest.raises(UserError, match="ends in"):
        retouch(tmp_path / name, tmp_path / "out.gif", Darker())
