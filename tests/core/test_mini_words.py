"""The stages of captioner and CLIP: each feeds the next, a second round goes on, and their pictures."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from swf_core.errors import UserError
from swf_core.mini_build import stage_words
from swf_core.mini_build.build import build_family
from swf_core.mini_build.data import SETS, rendered
from swf_core.mini_build.training_loop import Plan
from swf_core.mini_build.word_pictures import WordPictures
from swf_core.models.mini.blip_and_clip import clip_vision_from_blip, pixels
from swf_core.models.mini.early_conv import MiniBlip, MiniClip
from swf_core.models.mini.weight_files import SUMS, WEIGHTS, sha256


def test_the_stages_of_the_words_feed_one_another(tmp_path, monkeypatch) -> None:
    """Two steps each: the captioner keeps the tower of "vision" to the bit, CLIP begins with it, both load."""
    monkeypatch.setattr(stage_words, "PLANS", {name: Plan(2, 1e-3, warm_up=1) for name in ("vision", "blip", "clip")})
    monkeypatch.setattr(stage_words, "BATCH", {name: 4 for name in ("vision", "blip", "clip")})
    with pytest.raises(UserError, match="run the stage 'vision' first"):
        build_family(tmp_path, ["blip"], pictures={"words": 8})
    report = build_family(tmp_path, ["vision", "blip", "clip"], pictures={"words": 8})
    assert all(part["finished"] and part["steps"] == 2 for part in report.values())
    vision, blip = (load_file(f / "model.safetensors") for f in (tmp_path / "vision", tmp_path / "weights" / "blip"))
    tower = [name for name in vision if name.startswith("vision_model.")]
    assert tower and all(torch.equal(vision[name], blip[name]) for name in tower)
    assert not torch.equal(vision["text_decoder.cls.predictions.bias"], blip["text_decoder.cls.predictions.bias"])
    start = clip_vision_from_blip(blip, list(load_file(tmp_path / "weights" / "clip" / "model.safetensors")))
    layers = [name for name in start if ".encoder.layers." in name]
    assert {name.split(".")[4] for name in layers} >= {"self_attn", "mlp"} and len(start) >= len(tower)
    for kind, loader in (("blip", MiniBlip), ("clip", MiniClip)):
        folder = tmp_path / "weights" / kind
        missing = loader.from_pretrained(folder, output_loading_info=True)[1]["missing_keys"]
        assert not missing and sha256(folder / "model.safetensors") in (tmp_path / "weights" / SUMS).read_text()


def test_a_second_round_of_the_words_goes_on_with_the_shipped_tower(tmp_path, monkeypatch) -> None:
    """At learning rate 0 vision-2 is the tower it began with, on both sets; the decoder begins anew."""
    stages = ("vision-2", "blip-2")
    monkeypatch.setattr(stage_words, "PLANS", {name: Plan(1, 0.0, warm_up=1) for name in stages})
    monkeypatch.setattr(stage_words, "BATCH", {name: 4 for name in ("vision", "blip", "clip")})
    shutil.copytree(WEIGHTS / "blip", tmp_path / "weights" / "blip")
    build_family(tmp_path, stages, pictures={"words": 4, "words_further": 4})
    shipped = load_file(WEIGHTS / "blip" / "model.safetensors")
    tower, after = (load_file(tmp_path / f / "model.safetensors") for f in ("vision-2", "weights/blip"))
    learnt = [n for n in shipped if n.startswith("vision_model.") and "running" not in n and "tracked" not in n]
    assert learnt and all(torch.equal(shipped[name], tower[name]) for name in learnt)
    assert all(torch.equal(tower[name], after[name]) for name in learnt)
    assert not torch.equal(shipped["text_decoder.cls.predictions.bias"], after["text_decoder.cls.predictions.bias"])


def test_word_pictures_count_their_sets_through_and_leave_a_share_crisp(tmp_path) -> None:
    sets = {name: rendered(name, 3, tmp_path, workers=1) for name in ("words", "words_further")}
    both = WordPictures(sets, crisp=1.0)
    assert len(both) == 6 and both.factors(3) == SETS["words_further"](0) and both.factors(2) == SETS["words"](2)
    assert torch.equal(both.plain(np.array([1, 5])), torch.cat([both.plain(np.array([k])) for k in (1, 5)]))
    plain, batch = pixels(both.plain(np.arange(6))), both.batch(np.arange(6), np.random.default_rng(0))
    assert all(torch.equal(b, p) or torch.equal(b, p.flip(-1)) for b, p in zip(batch, plain))
    blurred = WordPictures(sets).batch(np.arange(6), np.random.default_rng(0))
    assert not any(torch.equal(b, p) or torch.equal(b, p.flip(-1)) for b, p in zip(blurred, plain))
