"""`recolor` as a person meets it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from PIL import Image

from swf_core.pictures import load

from support.cli import swf


@pytest.fixture
def picture(tmp_path) -> Path:
    path = tmp_path / "picture.png"
    left = Image.new("RGB", (40, 48), (180, 40, 40))
    image = Image.new("RGB", (80, 48), (60, 90, 160))
    image.paste(left, (0, 0))
    image.save(path)
    return path


def test_by_palette_the_report_says_what_was_reached(picture, tmp_path):
    out = tmp_path / "out.png"
    arguments = ("recolor", "--image", picture, "--palette", "#2a9d8f 50%, gold 50%", "--lightness", 1)
    run = swf(*arguments, "--out", out, "--json")
    assert run.returncode == 0, run.stderr
    report = json.loads(run.stdout.splitlines()[-1])
    assert report["written"] == [str(out)] and report["palette_distance"][1] < 0.2 * report["palette_distance"][0]
    assert abs(sum(each["share"] for each in report["palette"]["after"]) - 1) < 1e-2
    again = tmp_path / "again.png"
    swf(*arguments, "--out", again)
    assert out.read_bytes() == again.read_bytes()


def test_an_edit_after_a_reference_and_a_mask(picture, tmp_path):
    mask, out = tmp_path / "mask.png", tmp_path / "out.png"
    half = Image.new("L", (80, 48), 0)
    half.paste(255, (0, 0, 40, 48))
    half.save(mask)
    run = swf("recolor", "--image", picture, "--palette", "#b42828 -> #28b428, #3c5aa0", "--mask", mask, "--out", out)
    assert run.returncode == 0, run.stderr
    before, after = load(picture).pixels, load(out).pixels
    assert torch.equal(after[:, :, 40:], before[:, :, 40:]) and after[1, 5, 5] > after[0, 5, 5]
    run = swf("recolor", "--image", picture, "--like", mask, "--method", "luminance", "--out", out)
    assert run.returncode == 0 and load(out).pixels.std(0).max() < 0.02


def test_by_words_the_model_paints_it_again(picture, tmp_path):
    out = tmp_path / "out.png"
    words = ("--prompt", "a red house -> a green house", "--steps", 4)
    run = swf("recolor", "--image", picture, *words, "--out", out, "--json")
    assert run.returncode == 0, run.stderr
    cost = json.loads(run.stdout.splitlines()[-1])["cost"]
    assert cost["planned"] == cost["counted"] and "color concepts" in cost["formula"]
    mask = tmp_path / "mask.png"
    half = Image.new("L", (80, 48), 0)
    half.paste(255, (0, 0, 32, 48))
    half.save(mask)
    swf("recolor", "--image", picture, *words, "--mask", mask, "--size", 80, "--out", out)
    before, after = load(picture).pixels, load(out).pixels
    assert after.shape == before.shape and torch.equal(after[:, :, 48:], before[:, :, 48:])
    assert not torch.equal(after[:, :, :24], before[:, :, :24])
    run = swf("recolor", "--image", picture, *words, "--strength", 0, "--out", out)
    assert run.returncode == 0 and torch.equal(load(out).pixels, before)


def test_a_transparent_picture_keeps_its_alpha(tmp_path):
    clear = Image.new("RGBA", (40, 30), (200, 60, 40, 255))
    clear.paste((0, 0, 0, 0), (0, 0, 12, 30))
    clear.save(tmp_path / "clear.png")
    out = tmp_path / "out.png"
    run = swf("recolor", "--image", tmp_path / "clear.png", "--palette", "teal", "--out", out)
    assert run.returncode == 0, run.stderr
    assert (load(out).alpha == load(tmp_path / "clear.png").alpha).all()


def test_the_methods_offered_are_those_there_are():
    from swf_core.color.match import METHODS

    assert f"--method {{{','.join(METHODS)}}}" in swf("recolor", "--help").stdout


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--palette", "red", "--prompt", "x"], "--palette and --prompt was given"),
        ([], "Nothing was given"),
        (["--palette", "#12"], "'#12' is no color"),
        (["--like", "nowhere.png"], "does not exist"),
        (["--palette", "red", "--strength", "2"], "out of range"),
        (["--palette", "red", "--mask", "{black}"], "mask is empty"),
    ],
)
def test_impossible_requests_end_with_a_sentence_and_no_file(picture, tmp_path, options, message):
    Image.new("L", (80, 48), 0).save(tmp_path / "black.png")
    options = [tmp_path / "black.png" if o == "{black}" else o for o in options]
    run = swf("recolor", "--image", picture, "--out", tmp_path / "out.png", *options)
    assert run.returncode == 2 and message in run.stderr and len(run.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "out.png").exists()
