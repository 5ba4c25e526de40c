"""Arms of a trial that learn or optimize for each pair: they do what they say, and leave the model as it was."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from swf_core.classics.gatys import GatysOptions
from swf_core.features import load_features, style_distance
from swf_core.learn.lesson import lesson_options
from swf_core.learn.options import defaults
from swf_core.measure.benches.context import no_bar
from swf_core.measure.benches.fidelity import all_arms
from swf_core.measure.metrics.pairs import make_pairs
from swf_core.measure.trials import slow_arms
from swf_core.measure.trials.arms import AUTO_WORDS
from swf_core.measure.trials.identity import model_digest
from swf_core.measure.trials.reader import PictureReader
from swf_core.models import load
from swf_core.world import HELD_OUT
from swf_core.world.seeds import TEST_SEED


@pytest.fixture(scope="module")
def backend():
    return load("mini")


@pytest.fixture(scope="module")
def pair():
    return make_pairs(1, TEST_SEED + 93_000, HELD_OUT)[0]


def test_a_lora_alone_is_learnt_and_taken_out_again(backend, pair, monkeypatch) -> None:
    short = defaults(backend.family).changed(steps=2)
    monkeypatch.setattr(slow_arms, "defaults", lambda family: short)
    arm = slow_arms.slow_arms(backend)["LoRA alone"]
    before = model_digest(backend)
    picture = arm.paint(backend, pair, "", 0).picture
    assert picture.shape == pair.content.shape and arm.most_pairs == 15 and model_digest(backend) == before
    assert "LoRA alone" in all_arms(backend) and "LoRA alone" not in all_arms(backend, quick=True)


def test_a_lesson_is_learnt_for_each_pair_and_taken_out_again(backend, pair, monkeypatch) -> None:
    monkeypatch.setattr(slow_arms, "LESSON_STEPS", (20, 40))
    arms = slow_arms.lesson_arms(backend, PictureReader(no_bar))
    assert list(arms) == [f"lesson of {steps} steps, {AUTO_WORDS}" for steps in (20, 40)]
    before = model_digest(backend)
    results = []
    for arm in arms.values():
        assert arm.words == AUTO_WORDS and arm.paint.lesson == lesson_options("mini", arm.paint.lesson.steps)
        paint = replace(arm.paint, steps=2)
        painted = paint(backend, pair, "a boat", 0)
        assert painted.evaluations == 10 and model_digest(backend) == before
        results.append(painted.picture)
    assert not torch.equal(*results)  # a longer lesson is another one
    again = paint(backend, pair, "a boat", 0).picture
    assert torch.equal(again, results[1])


def test_gatys_arm_comes_nearer_to_the_style_by_the_features_it_was_given(backend, pair, monkeypatch) -> None:
    short = GatysOptions(iterations=30)
    monkeypatch.setattr(slow_arms, "GatysOptions", lambda: short)
    features = load_features()
    arm = slow_arms.gatys_arm(features)
    assert features.name in arm.settings and arm.most_pairs == 15
    result = arm.paint(backend, pair, "", 0).picture
    before, after = (float(style_distance(features, p[None], pair.style[None])) for p in (pair.content, result))
    assert after < 0.8 * before, (before, after)
