"""Captions, ranking and the semantic gap: on the embedded models, and on tiny random ones through the same code."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from swf_core.errors import UserError
from swf_core.measure.metrics.pairs import picture
from swf_core.models.mini.blip_and_clip import encode, new_tokenizer, pixels
from swf_core.models.mini.weight_files import WEIGHTS
from swf_core.pictures import to_image
from swf_core.words.caption import UNRANKED, CaptionOptions, caption_pictures, load_captioner, normalize_caption
from swf_core.words.clip import load_clip, ranking_scores, repetition
from swf_core.words.gap import LOST, NOTHING, USUAL, Gap, interpret, random_deletions, semantic_gap
from swf_core.words.strip import Stripped, strip
from swf_core.words.strip.deletion import delete
from swf_core.world import STYLE_WORDS, STYLES, caption, random_look, random_scene, vocabulary
from swf_core.world.seeds import TEST_SEED

from support.tiny_blip import WORDS, tiny_blip

QUICK = CaptionOptions(samples=3)


@pytest.fixture(scope="module")
def blip():
    return load_captioner("mini")


@pytest.fixture(scope="module")
def clip():
    return load_clip("mini")


@pytest.fixture(scope="module")
def scenes():
    """Pictures of every style on seeds that no model has seen."""
    seeds = [TEST_SEED + 90_000 + i for i in range(len(STYLES))]
    pairs = [(random_scene(seed), random_look(style, seed)) for seed, style in zip(seeds, STYLES)]
    return pairs, [picture(*pair) for pair in pairs]


def test_captions_name_object_and_medium(blip, clip, scenes):
    """The bench counts 200; 19 here, with room for three misses."""
    pairs, pictures = scenes
    results = caption_pictures(blip, pictures, QUICK, clip)
    objects = [scene.main.kind in c.caption.split() for c, (scene, _) in zip(results, pairs)]
    media = [any(w in c.caption for w in _phrases(look.style)) for c, (_, look) in zip(results, pairs)]
    assert sum(objects) >= 16 and sum(media) >= 15, [c.caption for c in results]
    for c in results:
        scores = [candidate.score for candidate in c.candidates]
        assert c.ranked and scores == sorted(scores, reverse=True) and c.caption == c.candidates[0].text and not c.note
        assert len({candidate.text.casefold() for candidate in c.candidates}) == len(scores) <= QUICK.keep


def _phrases(style: str) -> list[str]:
    return [w.replace("a ", "", 1) for w in STYLE_WORDS[style]]


def test_the_same_seed_gives_the_same_captions_and_the_global_generator_is_left_alone(blip, scenes):
    torch.manual_seed(3)
    before = torch.random.get_rng_state()
    first = caption_pictures(blip, scenes[1][:2], QUICK, seed=1)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert first == caption_pictures(blip, scenes[1][:2], QUICK, seed=1)
    assert first != caption_pictures(blip, scenes[1][:2], QUICK, seed=2)


def test_without_a_clip_the_ranking_is_visibly_off(blip, scenes):
    (result,) = caption_pictures(blip, scenes[1][:1], QUICK)
    assert not result.ranked and result.note == UNRANKED and all(c.score is None for c in result.candidates)
    assert result.candidates[0].method == "beam"


def test_a_given_beginning_is_continued(blip, scenes):
    (result,) = caption_pictures(blip, scenes[1][1:2], CaptionOptions(samples=0, beginnings=("a painting of",)))
    assert result.caption.startswith("a painting of ")


def test_the_right_caption_ranks_above_wrong_ones(clip, scenes):
    pairs, pictures = scenes
    captions = [caption(*pair) for pair in pairs]
    best = [int(torch.tensor(ranking_scores(clip, p, captions)).argmax()) for p in pictures]
    assert sum(k == n for n, k in enumerate(best)) >= 15


def test_the_stripped_caption_is_nearer_the_photos_than_the_full_one(clip, scenes):
    right = 0
    for scene, look in scenes[0][1:]:
        full = caption(scene, look)
        vectors = clip.texts([caption(scene, random_look("photo", 1)), strip(full).stripped, full])
        right += bool(vectors[0] @ vectors[1] > vectors[0] @ vectors[2])
    assert right >= len(scenes[0]) - 2


def test_the_gap_has_a_value_and_a_reading(clip, scenes):
    pairs, pictures = scenes
    stripped = [strip(caption(*pair)) for pair in pairs[1:4]]
    for gap in semantic_gap(clip, stripped, pictures[1:4]):
        assert gap.interpretation == USUAL and gap.text > 0 and gap.picture is not None and gap.control_text > 0
    nothing = semantic_gap(clip, [strip("a red house")])[0]
    assert nothing == Gap(0.0, None, 0.0, None, NOTHING) or (
        nothing.interpretation == NOTHING and abs(nothing.text) < 1e-6
    )
    stripped_caption = strip("a woodcut of a red house in the snow at night")
    assert interpret(stripped_caption, 0.9, 0.3) == LOST and interpret(
        stripped_caption, 0.9, 0.7
    ) == USUAL == interpret(stripped_caption, 0.3, 0.1)
    with pytest.raises(ValueError, match="one picture a caption"):
        semantic_gap(clip, stripped, pictures[:1])


def test_the_reading_finds_lost_objects_and_seldom_warns_in_vain(clip):
    """100 captions of the world stripped as they should be, and the same with their main object taken out as well."""
    good, bad = [], []
    for i in range(100):
        scene, look = random_scene(TEST_SEED + 70_000 + i), random_look(STYLES[1 + i % (len(STYLES) - 1)], i)
        stripped_caption = strip(caption(scene, look, "full", np.random.default_rng(i)))
        thing = f"a {scene.main.color} {scene.main.kind}"
        at = stripped_caption.caption.index(thing)
        spans = tuple(sorted([*stripped_caption.spans, (at, at + len(thing))]))
        good.append(stripped_caption)
        bad.append(Stripped(stripped_caption.caption, delete(stripped_caption.caption, spans), spans, "test"))
    assert sum(g.interpretation == LOST for g in semantic_gap(clip, good)) <= 18
    assert sum(g.interpretation == LOST for g in semantic_gap(clip, bad)) >= 85


def test_random_deletions_take_as_many_words():
    stripped = strip("a woodcut of a red house in the snow")
    others = random_deletions(stripped, 4, 0)
    assert len(others) == 4 and {len(o.split()) for o in others} == {6} and others == random_deletions(stripped, 4, 0)


def test_inputs_of_the_networks_equal_those_of_their_processors(blip, clip, scenes):
    for reader in (blip.processor.image_processor, clip.image_processor):
        processed = torch.as_tensor(reader(images=[to_image(scenes[1][0])], return_tensors="pt")["pixel_values"][0])
        assert (processed - pixels(scenes[1][0])).abs().max() < 0.02  # 8 bits and no resampling
    ids = encode(new_tokenizer(vocabulary()), ["a red house, on the grass"])
    assert ids.tolist() == clip.tokenizer(["a red house, on the grass"], return_tensors="pt").input_ids.tolist()


def test_text_is_tidied():
    assert normalize_caption("arafed woman , in a well - lit room . ") == "woman, in a well-lit room"
    assert repetition("a red a red a red a red") > 0.3 and repetition("a red house") == 0


def test_a_model_folder_is_loaded_and_a_bad_one_refused(tmp_path):
    folder = tmp_path / "blip"
    tiny_blip(folder)
    results = caption_pictures(load_captioner(folder), [torch.rand(3, 40, 50), torch.rand(3, 9, 7)], QUICK)
    assert len(results) == 2 and all(set(c.caption.split()) <= set(WORDS) for c in results)

    with pytest.raises(UserError, match="does not exist; give a folder with the files of Salesforce"):
        load_captioner(tmp_path / "none")
    with pytest.raises(UserError, match="is no BLIP model: config.json is missing"):
        load_captioner(tmp_path)
    (folder / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(UserError, match="cannot be loaded"):
        load_captioner(folder)
    with pytest.raises(UserError, match="not downloaded; choose one of"):
        load_captioner("somebody/something", download=True)


@pytest.mark.parametrize(
    ("kind", "load", "lost"),
    [
        ("clip", load_clip, "text_projection.weight"),
        ("blip", load_captioner, "text_decoder.bert.encoder.layer.0.attention.self.query.weight"),
    ],
)
def test_a_model_that_lacks_weights_is_refused(tmp_path, kind, load, lost):
    shutil.copytree(WEIGHTS / kind, tmp_path / kind)
    path = tmp_path / kind / "model.safetensors"
    tensors = load_file(path)
    assert lost in tensors
    save_file({k: v for k, v in tensors.items() if k != lost}, path, {"format": "pt"})
    with pytest.raises(UserError, match=f"not whole .{lost} is missing"):
        load(tmp_path / kind)


@pytest.mark.parametrize(("name", "megabytes"), [("blip", 12), ("clip", 8)])
def test_the_shipped_word_models_are_small_and_whole(name, megabytes):
    files = list((WEIGHTS / name).iterdir())
    assert sum(f.stat().st_size for f in files) / 1e6 <= megabytes
    config = json.loads((WEIGHTS / name / "config.json").read_text())
    assert config["vision_config"]["image_size"] == 128


@pytest.mark.parametrize("options", [{"beams": 0}, {"samples": 99}, {"top_p": 0.0}, {"beginnings": ()}])
def test_options_are_checked(options):
    with pytest.raises(UserError):
        CaptionOptions(**options)
