"""Batches of stage "base": shares and captions, pairs that read, lessons that no word names, noise levels; resume."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

from swf_core.mini_build import base_batches, stage_base
from swf_core.mini_build.base_batches import LatentSet
from swf_core.mini_build.data import SETS, further_picture
from swf_core.mini_build.sample_check import sample_check
from swf_core.mini_build.training_loop import Plan, StageSettings
from swf_core.models.mini.text import WordTokenizer, new_text_model
from swf_core.models.mini.unet import new_unet
from swf_core.models.mini.weight_files import WEIGHTS
from swf_core.world import STYLE_WORDS, TRAINED, Look, Mixture, vocabulary


def toy_batches(stage: str, pictures: int = 300) -> base_batches.Batches:
    """Batches of a stage whose sets are small and have no latents."""
    names = base_batches.SETS[stage]
    counts = {name: 100 if k else pictures for k, name in enumerate(names)}
    factors = [SETS[name](i) for name in names for i in range(counts[name])]
    partners, lessons = (100 if len(names) > 1 else 0), (100 if "lesson" in names else 0)
    return base_batches.Batches(LatentSet(torch.empty(0), factors, partners, lessons), stage)


@pytest.mark.parametrize("stage", base_batches.CAPTIONS)
def test_batches_hold_every_kind_of_caption_and_stripped_ones_belong_to_photos(stage: str) -> None:
    batches, shares = toy_batches(stage), base_batches.CAPTIONS[stage]
    index, captions = batches.draw(np.random.default_rng(0))
    readers = batches.pairs
    assert len(captions) == base_batches.BATCH == sum(shares.values()) + readers
    for i in index[shares["full"] : shares["full"] + shares["stripped"]]:
        assert batches.data.factors[i][1].style == "photo"
    silent = shares.get("empty", 0) + readers
    assert captions[len(captions) - readers - silent : len(captions) - readers] == [""] * silent
    again = batches.draw(np.random.default_rng(0))
    assert captions == again[1] and (index == again[0]).all()


@pytest.mark.parametrize("stage", ["base-3", "base-4"])
def test_a_reader_and_the_picture_it_reads_are_other_scenes_by_the_same_hand(stage: str) -> None:
    batches = toy_batches(stage)
    index, captions = batches.draw(np.random.default_rng(1))
    pairs, kinds, firsts = batches.pairs, set(), set()
    for read, reader in zip(index[-2 * pairs : -pairs], index[-pairs:], strict=True):
        (scene, hand), (other, same) = batches.data.factors[read], batches.data.factors[reader]
        assert scene.seed != other.seed and read != reader
        assert same == hand.reseeded((same.first if isinstance(same, Mixture) else same).seed)
        kinds.add(type(hand))
        firsts.add(bool(read < reader))
    assert any(captions[-pairs:]) and not all(captions[-pairs:])
    assert kinds == ({Look} if stage == "base-3" else {Look, Mixture})
    assert firsts == ({True} if stage == "base-3" else {True, False})  # either picture of a lesson reads the other
    timesteps = batches.timesteps(np.random.default_rng(2), len(index))
    assert (timesteps[-pairs:] == timesteps[-2 * pairs : -pairs]).all()


def test_no_word_names_a_lesson() -> None:
    batches = toy_batches("base-4")
    styles = {word for phrases in STYLE_WORDS.values() for phrase in phrases for word in phrase.split()} - {"a", "in"}
    said = set[str]()
    for step in range(20):
        index, captions = batches.draw(np.random.default_rng(step))
        lessons = [c for i, c in zip(index, captions, strict=True) if isinstance(batches.data.factors[i][1], Mixture)]
        said |= {word for text in lessons for word in text.split()}
    assert said and not said & styles


def test_marks_are_trained_more_where_they_are_made() -> None:
    drawn = toy_batches("base-4").timesteps(np.random.default_rng(0), 20_000)
    assert drawn.min() >= 0 and drawn.max() < 1000
    assert (drawn < 300).mean() == pytest.approx(0.3 ** (1 / 1.5), abs=0.02)
    even = toy_batches("base-1").timesteps(np.random.default_rng(0), 20_000)
    assert (even < 300).mean() == pytest.approx(0.3, abs=0.02)
    styles = [further_picture(i)[1].style for i in range(4000)]
    assert set(styles) == set(TRAINED)
    assert styles.count("strokes") / styles.count("woodcut") == pytest.approx(5, rel=0.35)
    assert styles.count("photo") / len(styles) == pytest.approx(0.2, abs=0.03)


def test_a_killed_base_4_resumes_to_the_same_bytes(tmp_path, monkeypatch) -> None:
    data = toy_batches("base-4").data
    latents = torch.randn(len(data.factors), 4, 16, 16, generator=torch.Generator().manual_seed(0))
    monkeypatch.setitem(stage_base.PLANS, "base-4", Plan(3, 1e-3, 1, save_every=1, ema=0.9))
    monkeypatch.setitem(base_batches.CAPTIONS, "base-4", {"full": 2, "stripped": 1, "paired": 1, "lesson": 2})
    loss, calls = stage_base.v_loss, list[int]()

    def stop_at_the_second(*given) -> torch.Tensor:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return loss(*given)

    def trained(folder) -> torch.Tensor:
        torch.manual_seed(0)
        tokenizer = WordTokenizer(vocabulary())
        unet, text = new_unet((32, 32, 32)), new_text_model(tokenizer)
        model = stage_base.BaseModel(unet, text, tokenizer, torch.linspace(0.999, 0.005, 1000))
        stage_base.train_base(model, replace(data, latents=latents), "base-4", StageSettings(folder, seed=0))
        return torch.cat([p.detach().flatten() for p in (*unet.parameters(), *text.parameters())])

    uninterrupted = trained(tmp_path / "uninterrupted")
    monkeypatch.setattr(stage_base, "v_loss", stop_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        trained(tmp_path / "killed")
    assert torch.equal(trained(tmp_path / "killed"), uninterrupted)
    assert len(calls) == 4  # from the checkpoint of step 1, not from the beginning


def test_a_stage_leaves_the_share_of_what_it_trained() -> None:
    tokenizer = WordTokenizer(vocabulary())
    unet, text = new_unet((32, 32, 32)), new_text_model(tokenizer)
    model = stage_base.BaseModel(unet, text, tokenizer, torch.linspace(0.999, 0.005, 1000))
    before = copy.deepcopy((unet.state_dict(), text.state_dict()))
    with torch.no_grad():
        for parameter in (*unet.parameters(), *text.parameters()):
            parameter += 1.0
    stage_base.blend(model, before, 0.25)
    for module, state in zip((unet, text), before, strict=True):
        for name, parameter in module.named_parameters():
            torch.testing.assert_close(parameter.detach(), state[name] + 0.25, rtol=1e-5, atol=1e-5)
    assert all(0.0 < share < 1.0 and stage in stage_base.PLANS for stage, share in stage_base.TRAINED_SHARE.items())


def test_what_a_stage_draws_is_counted_by_style() -> None:
    report = sample_check(WEIGHTS, each=1)
    assert set(report["by_style"]) == set(TRAINED) and set(report["by_style"].values()) <= {0.0, 1.0}
    assert report["style"] == pytest.approx(np.mean(list(report["by_style"].values())), abs=1e-4)
    assert report["style"] > 0.6 and report["object"] > 0.6
