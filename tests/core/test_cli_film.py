"""The verb `film` on a small real film: times, size and steadiness, a stop, and what is refused."""

from __future__ import annotations

import json
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
from support.tiny_models import picture

QUICK = ["--prompt", "a house", "--preset", "wallfacer", "--steps", 2]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six frames of a moving scene, and a style beside them."""
    folder, moving = tmp_path_factory.mktemp("film"), moving_scene(3, 64)
    frames = [render_photo(moving.at(k), 64)[0].transpose(2, 0, 1) for k in range(6)]
    pictures = [torch.from_numpy(np.ascontiguousarray(frame)) for frame in frames]
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
