"""Picks as a line of text."""

from __future__ import annotations

import json

import pytest

from swf_core.errors import UserError
from swf_core.learn.pick_selection import parse_selection

IDS = [f"{k:016x}" for k in range(5)]


@pytest.fixture
def folder(tmp_path):
    steps = (0, 10, 10, 20, 20)
    samples = [
        {"id": i, "file": f"step_{s:06d}_{k:02d}.png", "step": s, "prompt": f"prompt {k}", "seed": 0, "lora": s > 0}
        for k, (i, s) in enumerate(zip(IDS, steps))
    ]
    (tmp_path / "samples.json").write_text(json.dumps(samples))
    (tmp_path / "picks.json").write_text(json.dumps({"accepted": [], "rejected": [], "captions": {IDS[3]: "mine"}}))
    return tmp_path


def test_places_steps_and_ids(folder):
    assert parse_selection(folder, "0", 20) == {IDS[3]: "mine"}
    assert list(parse_selection(folder, "1, 10:0", 20)) == [IDS[1], IDS[4]]
    assert list(parse_selection(folder, f"{IDS[2]};1", 10)) == [IDS[2]]
    assert parse_selection(folder, " None ", 20) == {}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("2", "sample 2 of step 20, which has 2 samples"),
        ("30:0", "sample 0 of step 30, which has 0 samples"),
        ("-1", "the selection has '-1'; give places"),
        (IDS[0], "which this run does not have"),  # the plain model's cannot be learnt from
        ("../run.json", "give places"),
    ],
)
def test_a_selection_of_no_sample_is_refused_with_the_reason(folder, text, sentence):
    with pytest.raises(UserError, match=f"(?i){sentence}"):
        parse_selection(folder, text, 20)
    with pytest.raises(UserError, match="does not have"):
        parse_selection(folder, IDS[3], 10)  # sampled after this step
