"""`bench real`: its controls rank as they must, it continues from its rows, and it refuses an empty folder."""

from __future__ import annotations

import csv
from dataclasses import replace

import pytest
import torch

from swf_core.classics.gatys import GatysOptions
from swf_core.errors import UserError
from swf_core.measure.benches import real as real_bench
from swf_core.measure.benches.real import pairs_of
from swf_core.measure.benches.real_pictures import RealPictures
from swf_core.measure.benches.runner import run_bench
from swf_core.pictures import png_bytes, to_image


@pytest.fixture
def real(tmp_path) -> RealPictures:
    """Two paintings (noise) and two photographs (ramps), not square."""
    for group, number in ((g, n) for g in ("paintings", "photographs") for n in (1, 2)):
        (tmp_path / group).mkdir(exist_ok=True)
        generator = torch.Generator().manual_seed(number)
        noise, ramp = (
            torch.rand((3, 64, 80), generator=generator),
            torch.linspace(0, 0.5 * number, 80).expand(3, 64, 80),
        )
        pixels = noise if group == "paintings" else ramp
        (tmp_path / group / f"{number}.png").write_bytes(png_bytes(to_image(pixels)))
    return RealPictures(tmp_path / "paintings", tmp_path / "photographs", presets=(), features="embedded", size_px=64)


def test_controls_stand_at_their_ends_and_rows_are_kept(real, tmp_path) -> None:
    report = run_bench("real", tmp_path / "out", real=real)
    arms = report["arms"]
    assert report["pairs"] == 4 and "random filters" in report["features"]
    assert arms["content"]["content"][0] == 0 < arms["pixel AdaIN"]["content"][0]
    assert arms["style picture"]["style"][0] == 0 < arms["content"]["style"][0] != arms["pixel AdaIN"]["style"][0]
    assert arms["round trip"]["content"][0] > 0
    assert (tmp_path / "out/real.png").exists()
    table = tmp_path / "out/real.csv"
    rows = list(csv.DictReader(table.read_text().splitlines()))
    assert len(rows) == 16
    # A row is taken as it stands, and made again when its key does not fit.
    kept, stale = rows[0] | {"style": "7.0"}, rows[1] | {"style": "7.0", "key": "of before"}
    with table.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows([kept, stale])
    run_bench("real", tmp_path / "out", real=real)
    again = list(csv.DictReader(table.read_text().splitlines()))
    assert again[0]["style"] == "7.0" and again[1]["style"] == rows[1]["style"] and len(again) == 16


def test_gatys_by_vgg_is_compared_on_the_pairs_that_it_painted(real, tmp_path, monkeypatch) -> None:
    short = GatysOptions(iterations=15)
    monkeypatch.setattr(real_bench, "GatysOptions", lambda: short)
    monkeypatch.setattr(real_bench, "SHEET_ROWS", 2)
    real = replace(real, features="vgg")
    report = run_bench("real", tmp_path / "out", real=real)
    arms = report["arms"]
    assert "VGG-19" in report["features"] and arms["Gatys"]["pairs"] == 2 and arms["content"]["pairs"] == 4
    assert arms["Gatys"]["style"][0] < arms["content"]["style"][0]
    assert arms["Gatys"]["share of pairs nearer in style than pixel AdaIN"] in (0.0, 0.5, 1.0)
    assert "Gatys" not in run_bench("real", tmp_path / "quick", real=real, quick=True)["arms"]


def test_a_folder_without_pictures_is_refused(tmp_path) -> None:
    with pytest.raises(UserError, match="--paintings .* python -m swf_core pictures"):
        pairs_of(RealPictures(paintings=tmp_path), quick=True)
