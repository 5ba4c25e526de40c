"""The template browser's cards: names that sort, pictures that fill a card and name their maker."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PIL import Image, ImageStat

WORKFLOWS = Path(__file__).resolve().parents[2] / "workflows"
NAMES = sorted(path.stem for path in WORKFLOWS.glob("*.json"))


def test_names_are_numbered_and_say_their_model():
    assert NAMES and all(re.fullmatch(r"[1-9] \w.*, (mini|SD1\.5)", name) for name in NAMES), NAMES
    assert NAMES[0].startswith("1 your two pictures")


def test_the_folder_holds_graphs_and_their_thumbnails_alone():
    """ComfyUI offers every JSON there as a template, whatever it is."""
    assert sorted(path.name for path in WORKFLOWS.iterdir()) == sorted(
        f"{name}.{kind}" for name in NAMES for kind in ("json", "jpg")
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_thumbnail_fills_its_square_card_and_says_what_made_it(name):
    with Image.open(WORKFLOWS / f"{name}.jpg") as opened:
        picture, comment = opened.convert("RGB"), opened.info["comment"].decode()
    assert picture.size[0] == picture.size[1] >= 400
    strips = picture.crop((0, 0, 512, 60)), picture.crop((0, 30, 512, 256))
    assert all(max(ImageStat.Stat(strip).stddev) > 10 for strip in strips)  # no empty band
    made = "made with mini: " if name.endswith(", mini") else "shown with mini: "
    assert comment.startswith(made) and ", mini'" in comment
    corner = picture.crop((380, 4, 500, 24))  # where it is drawn: dark words on white
    darkest, lightest = (extreme[i] for i, extreme in enumerate([corner.convert("L").getextrema()] * 2))
    assert darkest < 90 and lightest > 240
