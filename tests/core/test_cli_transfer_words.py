"""`stylize` without a typed prompt as a person meets it: what was read, what is said, and who decides."""

from __future__ import annotations

import json

import pytest

from swf_core.features import load_features
from swf_core.measure.metrics.pairs import make_pairs, picture
from swf_core.pictures import save
from swf_core.transfer.defaults import CFG
from swf_core.transfer.presets import MINI_ADAIN, MINI_FREEDOM
from swf_core.transfer.word_guidance import CFG_WITH_PROMPT, CFG_WITH_READ_WORDS
from swf_core.world import random_look
from swf_core.world.seeds import TUNE_SEED

from support.cli import swf


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    (pair,) = make_pairs(1, TUNE_SEED, ("oil",))
    folder = tmp_path_factory.mktemp("pictures")
    save(folder / "content.png", pair.content)
    save(folder / "style.png", pair.style)
    return pair, folder / "content.png", folder / "style.png", folder


def stylized(pictures, *more):
    _, content, style, folder = pictures
    result = swf(
        "stylize", "--content", content, "--style", style, "--steps", 2, "--out", folder / "out", "--json", *more
    )
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout), result.stderr, (folder / "out" / "content_in_style.png").read_bytes()


def test_nothing_typed_reads_the_pictures_says_so_and_guides(pictures):
    report, said, image = stylized(pictures)
    (words,), (prompt,) = report["words"], report["prompts"]
    assert pictures[0].scene.main.kind in prompt and "oil" in prompt and words["prompt"] == prompt
    assert words["caption"] in said and words["styles"][0]["caption"] in said and f"prompt: {prompt}" in said
    assert 0.5 <= words["styles"][0]["confidence"] <= 1.0
    options = report["options"]
    assert (options["cfg"], options["cfg_detail"]) == (CFG_WITH_READ_WORDS, 1.0)
    assert (report["preset"], options["renoise"]) == ("faithful", MINI_FREEDOM)
    assert "oil" in " ".join(words["styles"][0]["removed"])
    # auto by its name is the same, and so is the prompt typed by hand under that guidance
    assert stylized(pictures, "--prompt", "auto")[2] == image
    guided = ("--cfg", CFG_WITH_READ_WORDS, "--cfg-detail", 1, "--freedom", MINI_FREEDOM, "--adain", MINI_ADAIN)
    assert stylized(pictures, "--prompt", prompt, *guided)[2] == image


def test_a_second_pass_follows_the_transfer_by_the_features_that_are_asked_for(pictures):
    plain, _, first = stylized(pictures, "--prompt", "")
    assert plain["second_pass"] is None
    for source in ("vgg", "embedded"):
        report, said, image = stylized(pictures, "--prompt", "", "--second-pass", 3, "--features", source)
        assert report["second_pass"][0] == 3 and report["second_pass"][1] == load_features(source).name
        assert "second pass" in said and image != first
        assert report["cost"] == plain["cost"]


def test_what_is_said_about_the_transfer_takes_the_place_of_what_read_words_would_set(pictures):
    faithful, _, _ = stylized(pictures, "--preset", "faithful")
    assert faithful["options"]["renoise"] == 0.0 and faithful["options"]["cfg"] == CFG_WITH_READ_WORDS
    nearer, _, _ = stylized(pictures, "--freedom", 0.25, "--cfg", 1.5, "--cfg-detail", 0.5)
    options = nearer["options"]
    assert (options["renoise"], options["cfg"], options["cfg_detail"]) == (0.25, 1.5, 0.5)


def test_no_words_and_typed_words_are_left_alone(pictures):
    silent, said, _ = stylized(pictures, "--prompt", "")
    assert silent["prompts"] == [""] and silent["words"] == [] and silent["options"]["cfg"] == CFG
    assert "prompt" not in said
    typed, _, _ = stylized(pictures, "--prompt", "a blue boat", "--style-prompt", "a cat", "--content-prompt", "a dog")
    assert typed["prompts"] == ["a blue boat"] and typed["words"] == []
    assert typed["options"]["cfg"] == CFG_WITH_PROMPT
    assert typed["options"]["style_prompt"] == "a cat" and typed["options"]["content_prompt"] == "a dog"


def test_a_medium_that_is_not_sure_enough_is_not_said(pictures):
    """Half oil, half dots: no reader is wholly sure of it."""
    pair, content, _, folder = pictures
    dots = picture(pair.style_scene, random_look("pointillism", pair.style_scene.seed, "natural"))
    save(folder / "unsure.png", (pair.style + dots) / 2)
    asked = ("--steps", 2, "--out", folder / "unsure", "--json", "--least-confidence", 1)
    result = swf("stylize", "--content", content, "--style", folder / "unsure.png", *asked)
    assert result.returncode == 0, result.stderr
    report = json.loads(result.stdout)
    (prompt,), (words,) = report["prompts"], report["words"]
    (style,) = words["styles"]
    assert 0.0 < style["confidence"] < 1.0 and style["removed"]
    assert not any(removed in prompt for removed in style["removed"]) and pair.scene.main.kind in prompt
    assert "is below 1" in words["notes"][0] and "is below 1" in result.stderr


def test_a_style_in_words_is_read_as_a_caption(pictures):
    _, content, _, folder = pictures
    arguments = ("--style-text", "a woodcut of a boat", "--steps", 2, "--out", folder / "text", "--json")
    result = swf("stylize", "--content", content, *arguments)
    assert result.returncode == 0, result.stderr
    prompt = json.loads(result.stdout)["prompts"][0]
    assert prompt.startswith("a woodcut of ") and pictures[0].scene.main.kind in prompt and "boat" not in prompt


def test_other_models_need_a_captioner_and_are_told_so(pictures):
    _, content, style, folder = pictures
    result = swf("stylize", "--content", content, "--style", style, "--out", folder / "no", "--model", folder)
    assert result.returncode == 2 and "--captioner" in result.stderr and "--prompt ''" in result.stderr
