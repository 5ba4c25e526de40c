"""The verb `film` on a small real film: times, size and steadiness, a stop, and what is refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from swf_core.film import frames_of, write_film
from swf_core.pictures import save
from swf_core.world import render_photo
from swf_core.world.moving import moving_scene

from support.cli import swf
from support.host_record import ROOT
from support.tiny_models import picture

QUICK = ["--prompt", "a house", "--preset", "wallfacer", "--steps", 2]


def planes(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(array.transpose(2, 0, 1)))


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six frames of a moving scene, and a style beside them."""
    folder, moving = tmp_path_factory.mktemp("film"), moving_scene(3, 64)
    frames = [render_photo(moving.at(k), 64)[0] for k in range(6)]
    pictures = [planes(frame) for frame in frames]
    write_film(folder / "clip.mp4", zip(pictures, (Fraction(k, 10) for k in range(6))), Fraction(10))
    save(folder / "style.png", picture(5))
    return folder / "clip.mp4"


def test_a_film_is_repainted_with_its_times(clip: Path) -> None:
    out = clip.parent / "painted.mkv"
    result = swf(
        "film", "--content", clip, "--style", clip.parent / "style.png", "--out", out, *QUICK, "--size", 64, "--json"
    )
    report = json.loads(result.stdout)
    assert result.returncode == 0 and report["size"] == [64, 64] and report["prompt"] == "a house"
    frames, before = list(frames_of(out)), list(frames_of(clip))
    assert [frame.time for frame in frames] == [frame.time for frame in before] and len(frames) == 6
    assert all(float((a.pixels - b.pixels).abs().mean()) > 0.02 for a, b in zip(frames, before, strict=True))
    # The sky at the top left stands still.
    assert float((frames[0].pixels - frames[1].pixels)[:, :8, :8].abs().mean()) < 0.02
    assert sorted(path.name for path in clip.parent.iterdir()) == ["clip.mp4", "painted.mkv", "style.png"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--style", "STYLE", "--out", "x.gif"], "ends in"),
        (["--out", "x.mp4"], "No style was given"),
        (["--style", "STYLE", "--out", "x.mp4", "--content", "STYLE"], "not a film"),
    ],
)
def test_what_cannot_be_is_refused(clip: Path, tmp_path: Path, more: list[str], said: str) -> None:
    style = str(clip.parent / "style.png")
    given = [style if each == "STYLE" else str(tmp_path / each) if each.startswith("x.") else each for each in more]
    result = swf("film", "--content", clip, *given, *QUICK)
    assert result.returncode == 2 and said in result.stderr and not list(tmp_path.iterdir())


def test_frames_are_held_together_as_asked(clip: Path) -> None:
    """A film painted anew with the same options is the same bytes, with others it is not."""
    made = {}
    for name, more in (("one", []), ("same", []), ("still", ["--noise", "still", "--key-weight", 0])):
        out = clip.parent / f"{name}.mkv"
        style = clip.parent / "style.png"
        assert (
            swf("film", "--content", clip, "--style", style, "--out", out, *QUICK, "--size", 64, *more).returncode == 0
        )
        made[name] = [frame.pixels for frame in frames_of(out)]
        out.unlink()
    assert all(torch.equal(a, b) for a, b in zip(made["one"], made["same"], strict=True))
    assert not torch.equal(made["one"][5], made["still"][5])


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads memory where Linux says it")
def test_memory_does_not_grow_with_a_film_s_length(tmp_path: Path) -> None:
    """Resident memory while the third part is painted is that of the second within 5 %."""
    moving = moving_scene(3, 64)
    shown = {k: planes(render_photo(moving.at(k), 64)[0]) for k in range(48)}
    write_film(tmp_path / "clip.mp4", ((shown[k % 48], Fraction(k, 25)) for k in range(144)), Fraction(25))
    save(tmp_path / "style.png", picture(5))
    arguments = ["--content", "clip.mp4", "--style", "style.png", "--out", "painted.mp4", *QUICK, "--size", 64]
    command = [sys.executable, "-m", "swf_core", "film", *map(str, arguments)]
    most: dict[int, int] = {}
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=tmp_path, env=environment) as process:
        while process.poll() is None:
            done = len(list(tmp_path.glob(".painted.mp4.parts/*.nut")))
            pages = Path(f"/proc/{process.pid}/statm").read_text().split()
            most[done] = max(most.get(done, 0), int(pages[1]) if len(pages) > 1 else 0)
            time.sleep(0.2)
    assert process.returncode == 0 and len(list(frames_of(tmp_path / "painted.mp4"))) == 144
    assert most[2] < 1.05 * most[1]
