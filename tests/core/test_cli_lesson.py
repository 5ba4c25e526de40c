"""`stylize --learn` as a person meets it: the time is said before, the lesson is kept, what cannot be is refused."""

from __future__ import annotations

import json

import pytest

from swf_core.measure.metrics.pairs import make_pairs
from swf_core.pictures import save
from swf_core.world.seeds import TUNE_SEED

from support.cli import swf


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    (pair,) = make_pairs(1, TUNE_SEED, ("neon",))
    place = tmp_path_factory.mktemp("pictures")
    save(place / "content.png", pair.content)
    save(place / "style.png", pair.style)
    return place


def stylized(folder, *more):
    result = swf(
        "stylize",
        "--content",
        folder / "content.png",
        "--style",
        folder / "style.png",
        "--steps",
        2,
        "--out",
        folder / "out",
        "--json",
        *more,
    )
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout), result.stderr, (folder / "out" / "content_in_style.png").read_bytes()


def test_a_lesson_is_announced_learnt_and_kept_for_the_next_picture(folder):
    plain = stylized(folder)
    report, said, image = stylized(folder, "--learn", 20)
    lesson = report["lesson"]
    assert plain[0]["lesson"] is None and image != plain[2]
    assert "learning the style: 20 steps, about" in said and lesson["seconds"] > 0 and not lesson["kept"]
    assert lesson["folder"].startswith(str(folder / "out" / "lessons"))
    again, said, same = stylized(folder, "--learn", 20)
    assert again["lesson"]["kept"] and "the style was learnt before" in said and same == image


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--warm-start",), "--lessons and --warm-start belong to a lesson; add --learn STEPS."),
        (("--learn", 20, "--lora", __file__), "--learn makes a LoRA of its own; leave out --lora, or --learn."),
        (("--learn", 5), "20"),
        (("--learn", 20, "--model", __file__, "--prompt", "a boat"), "A lesson reads what the style pictures show"),
    ],
)
def test_what_cannot_be_learnt_is_refused(folder, options, sentence):
    result = swf(
        "stylize", "--content", folder / "content.png", "--style", folder / "style.png", "--out", folder, *options
    )
    assert result.returncode == 2 and sentence in result.stderr
