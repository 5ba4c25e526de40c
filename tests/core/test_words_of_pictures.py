"""Words read from the pictures of a transfer, on the embedded captioner: prompts, confidence, what is not said."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from swf_core.errors import UserError
from swf_core.measure.metrics.pairs import make_pairs
from swf_core.words import picture_words
from swf_core.words.caption import Candidate, CaptionOptions, load_captioner
from swf_core.words.clip import load_clip
from swf_core.words.medium_confidence import media_named, medium_confidence
from swf_core.words.picture_words import (
    PictureWords,
    WordReader,
    auto_prompts,
    forget_pictures,
    kept_words,
    transfer_words,
)
from swf_core.words.strip import strip
from swf_core.world.seeds import TUNE_SEED

QUICK = CaptionOptions(samples=3, keep=100)


@pytest.fixture(scope="module")
def reader():
    return WordReader(load_captioner("mini"), load_clip("mini"), QUICK)


@pytest.fixture(scope="module")
def pairs():
    return make_pairs(3, TUNE_SEED, ("watercolour", "pencil", "woodcut"))


def test_prompts_name_the_contents_object_in_the_style_pictures_medium(reader, pairs):
    prompts = auto_prompts(reader, [p.content for p in pairs], [p.style for p in pairs])
    for prompt, pair, medium in zip(prompts, pairs, ("watercolour", "pencil", "woodcut")):
        assert pair.scene.main.kind in prompt.split() and medium in prompt and "photo" not in prompt, prompts


def test_a_picture_is_captioned_once_whatever_stands_beside_it(reader, pairs, monkeypatch):
    forget_pictures()
    first = auto_prompts(reader, [pairs[0].content], [pairs[0].style])
    calls = []
    real = picture_words.caption_pictures
    monkeypatch.setattr(picture_words, "caption_pictures", lambda *given: calls.append(given) or real(*given))
    assert auto_prompts(reader, [pairs[0].content], [pairs[0].style]) == first and not calls
    swapped = reader.prompt_of(pairs[0].style, [pairs[1].style])
    assert len(calls) == 1 and swapped.content.caption == reader.words_of(pairs[0].style).caption
    monkeypatch.setattr(picture_words, "KEPT_PICTURES", 2)
    reader.words_of(pairs[2].style)
    assert len(picture_words._kept) == 2  # pyright: ignore[reportPrivateUsage]
    # the same picture after the cache has lost it, alone and not as the third: the same caption
    assert auto_prompts(reader, [pairs[0].content], [pairs[0].style]) == first and len(calls) > 2


def test_other_seeds_and_options_are_read_anew(reader, pairs):
    shorter = replace(reader, options=CaptionOptions(samples=0, beginnings=("a painting of",), keep=100))
    assert shorter.words_of(pairs[0].style).caption.startswith("a painting of")
    assert not reader.words_of(pairs[0].style).caption.startswith("a painting of")


def test_a_medium_is_as_sure_as_the_candidates_that_name_it(reader):
    texts = ("a papercut of a boat", "a boat, a cut paper picture", "a mosaic of a boat", "a boat")
    even = [Candidate(text, "beam", 0.5) for text in texts]
    assert medium_confidence(even, reader.captioner, reader.clip) == pytest.approx(0.5)
    assert medium_confidence([replace(c, score=None) for c in even], reader.captioner, None) == pytest.approx(0.5)
    far = [replace(c, score=0.9 if k < 2 else 0.1) for k, c in enumerate(even)]
    assert medium_confidence(far, reader.captioner, reader.clip) == pytest.approx(1.0, abs=1e-3)
    assert medium_confidence(list(reversed(even)), reader.captioner, reader.clip) is None
    assert medium_confidence([], reader.captioner, reader.clip) is None


def test_media_of_any_captioner_are_read_from_its_words(reader):
    plain = replace(reader.captioner, media=(), synonyms=())
    assert media_named("an oil painting of a boat", plain) == media_named("a boat painted in oil", plain) == {"oil"}
    assert media_named("a painting of a boat", plain) == {"painting"}
    assert media_named("a watercolor painting of a boat in shades of rose", plain) == {"watercolor"}
    assert not media_named("a boat on the water", plain)


def style(caption: str, confidence: float | None = None, familiar: bool = True) -> PictureWords:
    return PictureWords(caption, strip(caption), confidence, familiar)


def test_what_is_unsure_is_not_said_and_the_note_says_so(reader):
    house = style("a photo of a green house")
    sure, unsure = style("a woodcut of a cat", 0.51), style("a woodcut of a cat", 0.49)
    assert transfer_words(house, [sure]).prompt == "a woodcut of a green house"
    kept_back = transfer_words(house, [unsure])
    assert kept_back.prompt == "a green house" and "0.49 is below 0.5: 'a woodcut of' is not said" in kept_back.notes[0]
    assert transfer_words(house, [unsure], 0.0).prompt == "a woodcut of a green house"
    both = transfer_words(house, [unsure, style("a watercolour of a cat")])
    assert both.prompt == "a watercolour of a green house" and len(both.notes) == 1
    strange = transfer_words(replace(house, familiar=False), [sure])
    assert strange.prompt == "" and "unlike what the captioner knows" in strange.notes[0]
    assert transfer_words(house, [style("a woodcut of a cat", 0.9, False)]).prompt == "a green house"
    with pytest.raises(UserError, match="least confidence"):
        replace(reader, least_confidence=1.5)


def test_what_was_read_is_found_without_the_models(reader, pairs):
    forget_pictures()
    assert kept_words("mini", "mini", pairs[0].style) is None
    words = WordReader(reader.captioner, reader.clip).words_of(pairs[0].style)
    assert kept_words("mini", "mini", pairs[0].style) is words
    assert kept_words("mini", None, pairs[0].style) is None is kept_words("mini", "mini", pairs[0].content)


def test_a_picture_of_another_kind_is_known_by_its_score(reader, pairs):
    assert all(reader.words_of(p.content).familiar and reader.words_of(p.style).familiar for p in pairs)
    noise = torch.rand(3, 96, 96, generator=torch.Generator().manual_seed(3))
    assert not reader.words_of(noise).familiar
    assert reader.prompt_of(noise, [pairs[0].style]).prompt == ""
    assert replace(reader, clip=None).words_of(noise).familiar  # nothing to know it by


def test_captions_stand_for_pictures_and_weights_order_styles(reader, pairs):
    styles = ["a woodcut of a cat", "a watercolour of a tree", "a mosaic of a dog"]
    words = reader.prompt_of("a photo of a green house", styles, [1.0, 2.0, 0.0])
    assert words.prompt == "a watercolour of a green house, a woodcut" and len(words.styles) == 2
