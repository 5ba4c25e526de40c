"""Training: exact resume, rounds with picks, what is written and what is refused."""

from __future__ import annotations

import json
import os
import sys

import pytest

from swf_core.errors import UserError
from swf_core.learn import picks
from swf_core.learn.dataset import picture_id
from swf_core.learn.options import TrainOptions, defaults, from_json, to_json
from swf_core.learn.run import model_identity, open_run
from swf_core.learn.train import train
from swf_core.models.lora_file import read

from support.learn_runs import QUICK, begin, same, weights
from support.tiny_models import fresh_backend


@pytest.mark.parametrize("family", ["sd15", "sd2v", "sdxl"])
def test_a_stopped_training_ends_as_an_unbroken_one_to_the_bit(family, tmp_path):
    options = QUICK.changed(steps=8, sample_every=4, save_every=3)
    run, backend = begin(tmp_path / "whole", options, family)
    outcome = train(run, backend)
    assert outcome.step == 8
    for stop in (0, 2, 4, 5, 7):
        run, backend = begin(tmp_path / f"broken{stop}", options, family)
        remaining = [stop]

        def check(remaining=remaining):
            remaining[0] -= 1
            if remaining[0] < 0:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            train(run, backend, check=lambda: None if not _training() else check())
        again = fresh_backend(family)
        outcome = train(open_run(run.folder, again), again)
        assert outcome.step == 8 and same(weights(run.folder), weights(tmp_path / "whole")), stop
        for name in ("samples.json", "loss.csv", "signals.json"):
            assert (run.folder / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name


def _training() -> bool:
    """Whether `check` is called from the loop of steps, not while the data set is prepared."""
    frame = sys._getframe()
    while frame:
        if frame.f_code.co_name == "_report_caching":
            return False
        frame = frame.f_back
    return True


def test_the_files_and_reports_of_a_run(tmp_path):
    run, backend = begin(tmp_path / "run")
    before = model_identity(backend)
    reports = []
    train(run, backend, report=lambda step, total, word, pictures: reports.append((step, total, word, pictures)))
    assert model_identity(backend) == before  # a LoRA inside does not make it another model
    names = sorted(p.relative_to(run.folder).as_posix() for p in run.folder.rglob("*") if p.is_file())
    samples = [f"samples/step_{s:06d}_{k:02d}.png" for s in (0, 6, 12) for k in (0, 1)]
    assert names == sorted(
        [
            "run.json",
            "state.safetensors",
            "loss.csv",
            "samples.json",
            "signals.json",
            "lora.safetensors",
            "loras/step_000006.safetensors",
            "loras/step_000012.safetensors",
            "states/step_000012.safetensors",
            f"data/{run.items[0].id}.png",
            *samples,
        ]
    )
    assert [p is not None for _, _, word, p in reports if word == "sampled"] == [True] * 3
    signals = run.records("signals")
    assert [s["step"] for s in signals] == [0, 6, 12] and signals[0]["norm"] == 0 < signals[1]["norm"]
    assert len((run.folder / "loss.csv").read_text().splitlines()) == 13
    metadata = read(run.folder / "lora.safetensors")[1]
    assert metadata["ss_network_alpha"] == "2" and metadata["ss_base_model_version"] == "sd_v1"
    assert json.loads(metadata["swf_captions"]) == ["a red cat"]
    again = fresh_backend("sd15")
    assert train(open_run(run.folder, again), again).step == 12  # queued again: nothing to do


def test_more_steps_learn_from_the_picks(tmp_path):
    run, backend = begin(tmp_path / "run")
    train(run, backend)
    ids = [r["id"] for r in run.records("samples") if r["lora"]]
    content = picks.set_verdict(run.folder, accept=ids[:2], reject=ids[2:3])
    assert (content["accepted"], content["rejected"], content["version"]) == (ids[:2], ids[2:3], 1)
    assert content == picks.read_picks(run.folder)
    assert picks.set_verdict(run.folder, accept=ids[2:3], forget=ids[:1])["accepted"] == [ids[1], ids[2]]
    with pytest.raises(UserError, match="no sample 'zebra'"):
        picks.set_verdict(run.folder, accept=["zebra"])

    again = fresh_backend("sd15")
    more = open_run(run.folder, again)
    more.add_round(6, picks.accepted_captions(run.folder), learning_rate=5e-3)
    more.save()
    outcome = train(more, again)
    assert outcome.step == 18 and open_run(run.folder).rounds[1]["picks"] == [ids[1], ids[2]]
    item = picks.picked_items(more, {ids[1]: "a red cat"})[0]
    record = next(r for r in more.records("samples") if r["id"] == ids[1])
    assert picks.accepted_captions(run.folder)[ids[1]] == record["prompt"]
    assert item.id == picture_id(item.picture) and item.origin == "step 6"
    with pytest.raises(UserError, match="rank cannot change within a run"):
        more.add_round(6, rank=8)


def test_prior_preservation_accumulation_and_options_reach_the_loop(tmp_path):
    short = QUICK.changed(sample_every=0, steps=5)
    plain, backend = begin(tmp_path / "plain", short)
    train(plain, backend)
    for k, change in enumerate(
        (
            {"prior_weight": 1.0, "prior_count": 2},
            {"accumulate": 2},
            {"min_snr": 0.5},  # the few steps drawn here have lower signal-to-noise ratios than the usual 5
            {"noise_offset": 0.1},
            {"timestep_bias": "detail"},
            {"loss": "x0"},
            {"max_grad_norm": 0.01},
            {"flip": False},
            {"warm_up": 5},
            {"schedule": "linear"},
            {"seed": 1},
            {"alpha": 1.0},
            {"caption_dropout": 0.9},
            {"weight_decay": 0.5},
            {"zoom": 2.0},
            {"shift": 0.3},
        )
    ):
        run, backend = begin(tmp_path / str(k), short.changed(**change))
        train(run, backend)
        assert not same(weights(run.folder), weights(plain.folder)), change
    assert len(list((tmp_path / "0" / "prior").iterdir())) == 2


def test_options_are_checked_and_survive_the_file():
    for bad in ({"rank": 0}, {"targets": "x"}, {"loss": "l1"}, {"picks_share": 0.7}, {"learning_rate": 2.0}):
        with pytest.raises(UserError):
            TrainOptions(**bad)
    for family in ("mini", "SD1.x", "SDXL"):
        options = defaults(family)
        assert from_json(json.loads(json.dumps(to_json(options)))) == options and options.scale == options.rank
    with pytest.raises(UserError, match="later version: its option 'zebra'"):
        from_json({"zebra": 1})
    falling = TrainOptions(steps=10, schedule="linear", floor=0.2, learning_rate=1.0, warm_up=2)
    assert [round(falling.rate(k), 2) for k in (0, 1, 2, 6, 9)] == [0.5, 1.0, 1.0, 0.6, 0.3]


def test_another_model_and_other_folders_are_refused(tmp_path):
    run, backend = begin(tmp_path / "run")
    with pytest.raises(UserError, match="was trained on another model"):
        open_run(run.folder, fresh_backend("sdxl"))
    with pytest.raises(UserError, match="holds other files"):
        begin(tmp_path / "run")
    with pytest.raises(UserError, match=r"no run in .* run\.json is missing"):
        open_run(tmp_path)
    (run.folder / "run.json").write_text("{")
    with pytest.raises(UserError, match="cannot be read as JSON"):
        open_run(run.folder)


def test_a_loss_that_is_no_number_stops_with_the_reason_and_keeps_the_last_checkpoint(tmp_path):
    run, backend = begin(tmp_path / "run", QUICK.changed(sample_every=0))
    steps = []

    def report(step, total, word, pictures):
        steps.append(step)
        if step == 8:
            next(iter(backend.denoiser.network.parameters())).data.fill_(float("nan"))

    with pytest.raises(UserError, match="loss is nan at step 8"):
        train(run, backend, report=report)
    again = fresh_backend("sd15")
    assert train(open_run(run.folder, again), again).step == 12


def test_a_full_disk_is_reported_in_one_sentence(tmp_path, monkeypatch):
    import errno

    run, backend = begin(tmp_path / "run", QUICK.changed(sample_every=0))

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UserError, match="disk is full"):
        train(run, backend)
    monkeypatch.undo()
    assert not list(run.folder.rglob("*.part"))
    again = fresh_backend("sd15")
    assert train(open_run(run.folder, again), again).step == 12
