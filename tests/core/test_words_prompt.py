"""The prompt of a transfer from two captions: whose words stand in it, where, and how they are joined."""

from __future__ import annotations

import re

import pytest

from swf_core.words.prompt import APART, BESIDE, SENTENCE, StyleWords, Tail, joined_words, style_words, transfer_prompt
from swf_core.words.strip import strip
from swf_core.world import STYLES, caption, random_look, random_scene
from swf_core.world.captions import MEDIA

HOUSE = "a photo of a green house on the sand"


def said(content: str, *styles: str) -> str:
    return transfer_prompt(strip(content, media=MEDIA), [strip(style, media=MEDIA) for style in styles])


@pytest.mark.parametrize(
    ("style", "prompt"),
    {
        # the trials' own
        "a watercolour of a mountain in shades of rose": "a watercolour of a green house on the sand in shades of rose",
        "a purple house on the sand, an ink wash painting": "a green house on the sand, an ink wash painting",
        "a tree in shades of green, a tile mosaic": "a green house on the sand in shades of green, a tile mosaic",
        # nothing removed; nothing at all
        "a red house": "a green house on the sand",
        "": "a green house on the sand",
        # style alone, as stripping leaves it, and waiting for a thing
        "oil painting": "a green house on the sand, oil painting",
        "a watercolour of": "a green house on the sand, a watercolour",
        # an adjective of the thing goes behind, without its article
        "an anime style girl in a red dress": "a green house on the sand, anime style",
        "a girl beside a cubist guitar": "a green house on the sand, cubist",
        # openings with other signs and verbs
        "the image shows mountains at dawn": "the image shows a green house on the sand",
        "a doodle: a fox; soft pastel colors": "a doodle: a green house on the sand, soft pastel colors",
        # sentences stay sentences
        "This is an oil painting. A house stands on a hill.": "This is an oil painting. a green house on the sand",
        "A cat sits. The brushwork is loose and visible. A dog sleeps.": "a green house on the sand. The brushwork is "
        "loose and visible",
        # tags
        "1girl, watercolor (medium), masterpiece": "a green house on the sand, watercolor (medium), masterpiece",
        "watercolor, 1girl, green hair": "watercolor, a green house on the sand",
        "a man in the snow watercolor": "a green house on the sand watercolor",
        "Starry Night by Vincent van Gogh": "a green house on the sand by Vincent van Gogh",
        # a language that is not read has no style words
        "\u0430\u043a\u0432\u0430\u0440\u0435\u043b\u044c \u0434\u043e\u043c\u0430": "a green house on the sand",
    }.items(),
)
def test_style_words_stand_as_they_stood(style, prompt):
    assert said(HOUSE, style) == prompt


@pytest.mark.parametrize(
    ("content", "style", "prompt"),
    [
        ("A photo of A green house.", "a woodcut of a cat", "a woodcut of a green house"),
        ("Two cats in the snow", "a woodcut of a cat", "a woodcut of two cats in the snow"),
        ("Paris at night", "a woodcut of a cat", "a woodcut of Paris at night"),
        ("A house. A dog sleeps.", "a cat in watercolour", "A house. A dog sleeps, in watercolour"),
        ("a photo", "a woodcut of a cat in muted colours", "a woodcut in muted colours"),
        ("", "the image shows a cat", "the image"),
        ("", "a cat", ""),
        ("un chien", "une aquarelle d'un chat, aux couleurs vives", "une aquarelle d'un chien, aux couleurs vives"),
        ("ein Hund im Schnee", "ein Aquarell von einem Haus im Wald", "ein Aquarell von ein Hund im Schnee"),
        (
            "\u4e00\u6761\u6cb3",
            "\u4e00\u5e45\u6c34\u5f69\u753b\uff0c\u753b\u7684\u662f\u4e00\u5ea7\u5c71",
            "\u4e00\u5e45\u6c34\u5f69\u753b\uff0c\u753b\u7684\u662f\u4e00\u6761\u6cb3",
        ),
        (
            "\u4e00\u6761\u6cb3",
            "\u4e00\u53ea\u732b\u5750\u5728\u6905\u5b50\u4e0a\uff0c\u6c34\u58a8\u753b\u98ce\u683c",
            "\u4e00\u6761\u6cb3\uff0c\u6c34\u58a8\u753b\u98ce\u683c",
        ),
    ],
)
def test_content_and_style_meet(content, style, prompt):
    assert said(content, style) == prompt


def test_several_styles_are_said_once_each_the_first_in_front():
    styles = "a watercolour of a cat in muted colours", "a woodcut of a tree in muted colours", "a tree, a watercolour"
    assert said(HOUSE, *styles) == "a watercolour of a green house on the sand in muted colours, a woodcut"
    assert said(HOUSE, styles[1], styles[0]) == "a woodcut of a green house on the sand in muted colours, a watercolour"
    assert said(HOUSE) == "a green house on the sand"
    assert joined_words([]) == StyleWords()


def test_words_know_how_they_are_joined():
    assert style_words(strip("a drawing of a cat in muted colours")) == StyleWords(
        "a drawing of ", (Tail("in muted colours", BESIDE),)
    )
    assert style_words(strip("a cat, in watercolour")).tails == (Tail("in watercolour", APART),)
    loose = style_words(strip("A cat sits. The brushwork is loose and visible. A dog sleeps."))
    assert loose.tails == (Tail("The brushwork is loose and visible", SENTENCE),)


def test_no_word_is_invented_and_none_comes_from_the_style_pictures_content():
    """All painters of the world in several phrasings: the prompt's words are the stripped content's and the removed."""
    import numpy as np

    for k in range(8 * len(STYLES)):
        rng, style = np.random.default_rng(k), STYLES[k % len(STYLES)]
        content = caption(random_scene(k), random_look("photo", k), rng=rng)
        other = caption(random_scene(k + 1000), random_look(style, k), rng=rng)
        stripped, removed = strip(content, media=MEDIA), strip(other, media=MEDIA)
        prompt = transfer_prompt(stripped, [removed])
        words = re.findall(r"\w+", prompt)
        assert sorted(words) == sorted(re.findall(r"\w+", " ".join([stripped.stripped, *removed.removed]))), other
        assert stripped.stripped in prompt and prompt == prompt.strip(" ,.")
        # so the prompt read again gives the content back
        assert strip(prompt, media=MEDIA).stripped == stripped.stripped
