"""Folders on the command line: the same bytes by one process, by several, and after kills; errors as rows."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from swf_core.pictures import save

from support.cli import process_arguments, swf
from support.tiny_models import picture

STYLIZE = ["--prompt", "a house", "--preset", "wallfacer", "--steps", 2, "--size", 64]


@pytest.fixture(scope="module")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven pictures of two sizes, one broken one, and a style beside them."""
    folder = tmp_path_factory.mktemp("shots")
    (folder / "in").mkdir()
    for k in range(7):
        save(folder / "in" / f"shot{k}.png", picture(k, 48 if k % 3 else 64, 64))
    (folder / "in" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    save(folder / "style.png", picture(9))
    return folder


def stylize(shots: Path, out: Path, *more: object) -> subprocess.CompletedProcess[str]:
    return swf("stylize", "--content", shots / "in", "--style", shots / "style.png", "--out", out, *STYLIZE, *more)


def pictures(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.png"))}


@pytest.fixture(scope="module")
def whole(shots: Path) -> dict[str, bytes]:
    """What an unbroken run of one process gives."""
    out = shots / "whole"
    result = stylize(shots, out, "--json")
    report = json.loads(result.stdout)
    assert result.returncode == 1 and report["jobs"] == 8 and len(report["written"]) == 7
    assert [Path(row["content"]).name for row in report["failed"]] == ["broken.png"]
    assert "broken.png" in result.stderr and "Traceback" not in result.stderr
    return pictures(out)


def test_several_processes_give_the_bytes_of_one(shots: Path, whole: dict[str, bytes]) -> None:
    assert len(whole) == 7 and len(set(whole.values())) == 7
    stylize(shots, shots / "two", "--workers", 2)
    assert pictures(shots / "two") == whole


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
@pytest.mark.parametrize("workers", [1, 2])
def test_killed_twice_and_resumed_it_is_as_unbroken(shots: Path, whole: dict[str, bytes], workers: int) -> None:
    out = shots / f"killed{workers}"
    command = ["stylize", "--content", shots / "in", "--style", shots / "style.png", "--out", out, *STYLIZE]
    arguments = process_arguments(*command, "--workers", workers)
    record = out / "manifest.jsonl"

    def recorded() -> int:
        return record.read_bytes().count(b"\n") - 1 if record.exists() else 0

    for least in (1, 4):  # the second is more than the broken one: a whole group of pictures
        process = subprocess.Popen(**arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 120
        while recorded() < least and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()
    result = stylize(shots, out, "--json", "--workers", workers)
    assert json.loads(result.stdout)["done_now"] < 8
    assert pictures(out) == whole
    rows = [json.loads(line) for line in record.read_text().splitlines()][1:]
    assert len(rows) == 8 and sum(row["error"] is not None for row in rows) == 1


def test_a_batch_of_other_settings_is_refused_and_restart_begins_it_anew(shots: Path, whole: dict[str, bytes]) -> None:
    out = shots / "whole"
    refused = stylize(shots, out, "--strength", 0)
    assert refused.returncode == 2 and "another strength" in refused.stderr and pictures(out) == whole
    assert json.loads(stylize(shots, out, "--json").stdout)["done_now"] == 1  # the broken one, which may be mended
    result = stylize(shots, shots / "two", "--strength", 0, "--restart", "--json")
    assert json.loads(result.stdout)["done_now"] == 8 and pictures(shots / "two") != whole


def test_every_content_in_every_style_and_names_apart(shots: Path) -> None:
    (shots / "more").mkdir()
    for name, seed in (("a/house.png", 1), ("b/house.png", 2)):
        (shots / "more" / name).parent.mkdir(parents=True)
        save(shots / "more" / name, picture(seed))
    out = shots / "product"
    styles = ["--style", shots / "style.png", shots / "in" / "shot1.png", "--pairs", "product"]
    result = swf("stylize", "--content", shots / "more" / "*" / "*.png", *styles, "--out", out, *STYLIZE)
    assert result.returncode == 0, result.stderr
    assert sorted(pictures(out)) == [
        "house_in_shot1.png", "house_in_shot1_2.png", "house_in_style.png", "house_in_style_2.png"
    ]  # fmt: skip
    assert len(set(pictures(out).values())) == 4
    assert Image.open(out / "house_in_style.png").size == (64, 64)


def test_a_folder_is_recolored_into_a_folder(shots: Path) -> None:
    out = shots / "recolored"
    result = swf("recolor", "--image", shots / "in", "--palette", "navy, gold", "--out", out, "--json")
    report = json.loads(result.stdout)
    assert result.returncode == 1 and len(report["written"]) == 7 and len(pictures(out)) == 7
    single = shots / "single.png"
    assert (
        swf("recolor", "--image", shots / "in" / "shot2.png", "--palette", "navy, gold", "--out", single).returncode
        == 0
    )
    assert pictures(out)["shot2_recolored.png"] == single.read_bytes()
    assert (
        json.loads(swf("recolor", "--image", shots / "in", "--palette", "navy, gold", "--out", out, "--json").stdout)[
            "done_now"
        ]
        == 1
    )


def test_a_folder_is_captioned_and_what_is_kept_is_not_read_again(shots: Path) -> None:
    command = ["caption", shots / "in", "--samples", 0, "--beams", 1, "--out", shots / "captions"]
    result = swf(*command)
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.returncode == 1 and [Path(row["image"]).stem for row in rows] == [
        "broken",
        *(f"shot{k}" for k in range(7)),
    ]
    assert "error" in rows[0] and all(row["caption"] for row in rows[1:])
    again = json.loads(swf(*command, "--json").stdout)
    assert again["done_now"] == 1 and again["captions"] == rows
    one = json.loads(swf("caption", shots / "in" / "shot3.png", "--samples", 0, "--beams", 1).stdout)
    assert one == rows[4]
