"""Captions of tags: a style tag goes whole, and the other tags with their separators stay byte for byte."""

from __future__ import annotations

import random

import pytest

from swf_core.words.strip import ALONE, OFFLINE, strip
from swf_core.words.strip.rules.prompt_list import is_list, items

from support.caption_sets import cases, comes_from, new_words, score

TUNED, HELD = cases("tags_tuning"), cases("tags_held_out")


class Marks:
    """A marker that says what it is told to."""

    name = "endpoint"

    def __init__(self, *pieces: str):
        self.pieces = pieces

    def mark(self, caption, check=None):
        return list(self.pieces)


@pytest.mark.parametrize(("captions", "kept", "gone"), [(TUNED, 0.98, 0.98), (HELD, 0.98, 0.95)])
def test_captions_of_tags_keep_their_content_and_lose_their_style(captions, kept, gone):
    share_kept, share_gone, wrong = score(captions, lambda c: strip(c).stripped)
    assert share_kept >= kept and share_gone >= gone, "\n".join(wrong if captions is TUNED else [])


def test_a_quarter_of_200_captions_of_tags_is_held_out_and_none_gains_a_word():
    assert len(TUNED) + len(HELD) == 200 and len(HELD) == 50
    for case in (*TUNED, *HELD):
        result = strip(case["caption"])
        assert result.stripped and result.method == OFFLINE
        assert comes_from(result.stripped, result.caption) and not new_words(result.stripped, result.caption)


@pytest.mark.parametrize(
    ("text", "stripped"),
    [
        ("1girl, long_hair, oil_painting_(medium), (watercolor:1.3), a red house", "1girl, long_hair, a red house"),
        ("1girl, watercolor_(medium), best_quality, traditional_media, masterpiece, hat", "1girl, hat"),
        (r"saber \(fate\), 1girl, colored pencil \(medium\), rain", r"saber \(fate\), 1girl, rain"),
        ("((best quality)), {{{masterpiece}}}, [sketch], 1boy, [hat]", "1boy, [hat]"),
        ("(best_quality, masterpiece:1.2), 1girl, (beer_mug:1.1)", "1girl, (beer_mug:1.1)"),
        ("(masterpiece, red_hat:1.2), 1girl", "(red_hat:1.2), 1girl"),
        ("(red_hat, masterpiece:1.2), 1girl", "(red_hat:1.2), 1girl"),
        ("<lora:ink_v2:0.8> 1girl, <lyco:a:1>, embedding:bad_hand, tree", "1girl, tree"),
        ("1girl, ink_(medium) BREAK masterpiece, forest BREAK sepia", "1girl BREAK forest"),
        ("1girl | sketch, hat | flat_color", "1girl | hat"),
        ("1girl,masterpiece,hat", "1girl,hat"),
        (r"1girl, \(o_o\), :3, ^_^, crayon_(medium), |_|, :d", r"1girl, \(o_o\), :3, ^_^, |_|, :d"),
        ("1girl, by_wlop, artist:krenz, (artist:john_singer_sargent:1.2), lamp", "1girl, lamp"),
        ("1girl, by candlelight, (by ilya kuvshinov:0.9), cafe", "1girl, by candlelight, cafe"),
        ("mucha_(style), photo_(object), photo_(medium), 1girl", "photo_(object), 1girl"),
        ("1girl, 1.3::watercolor::, masterpiece++, -1::hat::", "1girl, -1::hat::"),
        ("score_9, score_8_up, source_anime, 1girl, male_focus, depth_of_field", "1girl, male_focus"),
        ("[cat|dog], [sketch|photo], [sunny:rainy:0.4], 3d, street", "[cat|dog], [sunny:rainy:0.4], street"),
        ("pencil_case, ink_bottle, watercolor_palette, brush, rose_print, no_humans", ""),
        ("1girl, school_uniform, traffic_light, indian_style, shot_glass, cowboy_shot, upper_body", ""),
    ],
)
def test_a_style_tag_goes_whole_and_the_others_stay_as_written(text, stripped):
    assert strip(text).stripped == (stripped or text)


def test_a_sentence_among_tags_loses_its_style_alone():
    text = "a painting of a red house in watercolor, (old_tree:1.2), highres, hill"
    assert strip(text).stripped == "a red house, (old_tree:1.2), hill"


@pytest.mark.parametrize("text", ["oil_painting_(medium)", "masterpiece, best_quality, highres", "(sketch:1.2)"])
def test_tags_of_style_alone_keep_one_and_a_note_says_so(text):
    result = strip(text)
    assert result.stripped and result.stripped in text and result.note == ALONE


@pytest.mark.parametrize(
    ("text", "marks", "stripped"),
    [
        (r"1girl, ink \(medium\), (film grain:1.2), red_hat", ("ink (medium)", "film grain"), "1girl, red_hat"),
        (
            "1girl, (watercolor:1.3), (best_quality, hat:1.2), sea",
            ("watercolor", "best_quality"),
            "1girl, (hat:1.2), sea",
        ),
        ("an anime girl with a hat", ("anime",), "girl with a hat"),
    ],
)
def test_what_a_model_marks_of_a_tag_goes_whole_and_an_article_with_it(text, marks, stripped):
    result = strip(text, Marks(*marks))
    assert result.stripped == stripped and result.method == "endpoint"


def test_weights_go_with_their_tags_in_other_languages_too():
    assert (
        strip("femme assise dans un jardin, (aquarelle:1.3), chapeau").stripped
        == "femme assise dans un jardin, chapeau"
    )
    assert strip("(杰作:1.2)，双马尾女孩，雨").stripped == "双马尾女孩，雨"


def test_prose_is_no_list_and_brackets_are_read_however_deep():
    assert not is_list("a woman (left) and a man, 12:30, in the rain") and is_list("a cat, (rain:1.2)")
    assert [tag.text for item in items("((a, [b c]:1.2)), d_e_(f)") for tag in item.tags()] == ["a", "b c", "d e"]
    for text in ("(" * 5000 + "a_b" + ")" * 5000, "a_b" + ",(" * 5000, "BREAK a_b " * 2000):
        assert comes_from(strip(text).stripped, text)


def test_random_lists_keep_every_tag_of_the_scene_as_it_stands():
    rng = random.Random(3)
    scene = (
        "1girl",
        "red_hat",
        "(blue sea:1.2)",
        "[[cat]]",
        r"rem \(re:zero\)",
        ":3",
        "two dogs",
        "bow_(weapon)",
        "^_^",
    )
    style = ("masterpiece", "ink_(medium)", "(sketch:1.3)", "{flat_color}", "<lora:x:1>", "by_wlop", "((8k))", "sepia")
    for _ in range(300):
        tags = [rng.choice(scene + style) for _ in range(rng.randint(2, 9))]
        text = "1girl, " + ", ".join(tags)
        kept = ", ".join(tag for tag in ("1girl", *tags) if tag in scene)
        assert strip(text).stripped == kept, text
