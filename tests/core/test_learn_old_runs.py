"""Run folders in the format of before: options by their former names, rounds whose picks have no captions."""

from __future__ import annotations

import json

import pytest

from swf_core.learn import picks
from swf_core.learn.fork import RunAt, resume
from swf_core.learn.options import TrainOptions, from_json, to_json
from swf_core.learn.run import model_identity, open_run
from swf_core.learn.run_summary import run_summary
from swf_core.learn.train import train
from swf_core.models.lora_file import read
from swf_core.pictures import load, save

from support.tiny_models import fresh_backend, picture

# Every option as it was written, three of them under names and values that have changed since.
OPTIONS = json.loads("""{
  "steps": 4, "targets": "attention", "rank": 2, "alpha": 0.0, "learning_rate": 0.01, "schedule": "constant",
  "floor": 0.2, "warm_up": 0, "weight_decay": 0.01, "batch": 1, "accumulate": 1, "clip": 0.5,
  "caption_dropout": 0.05, "loss": "native", "min_snr": 0.0, "noise_offset": 0.0, "bias": "detail",
  "prior_weight": 0.0, "prior_count": 16, "views": 2, "zoom": 1.25, "shift": 0.0, "flip": true, "size_px": 0,
  "sample_every": 4, "sample_steps": 1, "sample_cfg": 2.0, "guidance": "both branches", "save_every": 2,
  "strength": 1.0, "picks_share": 0.25, "picks_above": 0.5, "seed": 0
}""")
ORIGINAL, SAMPLE = "00000000000000aa", "00000000000000bb"


@pytest.fixture
def folder(tmp_path):
    """A run of two rounds that was planned and sampled once, as the files of before say it."""
    folder = tmp_path / "old"
    rounds = [
        {"first": 0, "steps": 4, "options": {"steps": 4}, "picks": [], "captions": {}},
        {"first": 4, "steps": 2, "options": {"clip": 1.0, "guidance": "asymmetric", "steps": 2}, "picks": [SAMPLE]},
    ]
    run = {
        "format": 1,
        "model": model_identity(fresh_backend("sd15")),
        "options": OPTIONS,
        "data": [{"id": ORIGINAL, "caption": "a cat", "weight": 1.0, "repeats": 1, "origin": "original"}],
        "prompts": [{"prompt": "a red cat", "seed": 1}],
        "rounds": rounds,
        "chosen": None,
    }
    sample = {"id": SAMPLE, "file": "step_000004_00.png", "step": 4, "prompt": "a red cat", "seed": 1, "lora": True}
    signals = {"step": 4, "validation": 1.0, "norm": 0.1, "copying": [0.2], "diversity": 0.0}
    choices = {"accepted": [SAMPLE], "rejected": [], "captions": {}, "answered": [4], "version": 3}
    save(folder / "data" / f"{ORIGINAL}.png", picture(1, 64, 64))
    save(folder / "samples" / sample["file"], picture(2, 64, 64))
    for name, content in (("run", run), ("samples", [sample]), ("signals", [signals]), ("picks", choices)):
        (folder / f"{name}.json").write_text(json.dumps(content, indent=1), encoding="utf-8")
    return folder


def test_options_are_read_by_their_former_names_and_written_by_the_present_ones():
    options = from_json(OPTIONS)
    assert (options.max_grad_norm, options.timestep_bias, options.lora_guidance) == (0.5, "detail", "both")
    assert from_json(OPTIONS | {"guidance": "asymmetric"}).lora_guidance == "asymmetric"
    written = to_json(options)
    assert not {"clip", "bias", "guidance"} & set(written) and from_json(written) == options
    unchanged = {k: v for k, v in OPTIONS.items() if k in TrainOptions.__dataclass_fields__}
    assert {k: written[k] for k in unchanged} == unchanged and len(unchanged) == len(OPTIONS) - 3


def test_a_run_of_before_opens_with_its_rounds_picks_and_summary(folder):
    run = open_run(folder, fresh_backend("sd15"))
    assert [run.round_options(k).max_grad_norm for k in (0, 1)] == [0.5, 1.0]
    assert [run.round_options(k).lora_guidance for k in (0, 1)] == ["both", "asymmetric"]
    assert run.round_picks(0) == {} and run.round_picks(1) == {SAMPLE: "a red cat"}
    assert picks.accepted_captions(folder) == {SAMPLE: "a red cat"}
    summary = run_summary(folder)
    assert summary["samples"][0]["verdict"] == "accepted" and summary["answered"] == [4] and summary["version"] == 3


def test_a_run_of_before_is_trained_to_its_end_and_continued(folder):
    backend = fresh_backend("sd15")
    assert train(open_run(folder, backend), backend).step == 6
    before = read(folder / "lora.safetensors")[0]
    backend = fresh_backend("sd15")
    run, end = resume(RunAt(folder, 4, ((SAMPLE, "a red cat"),)), backend, 2, max_grad_norm=1.0)
    assert run.folder.name == "old 2" and end == 6  # other options than the second round's: a copy
    assert train(run, backend, until=end).step == 6
    assert load(run.folder / "data" / f"{ORIGINAL}.png").pixels.shape == (3, 64, 64)
    backend = fresh_backend("sd15")
    again, end = resume(RunAt(folder, 6), backend, 2)
    assert again.folder == folder and train(again, backend, until=end).step == 8
    after = read(folder / "lora.safetensors")[0]
    assert before.keys() == after.keys() and any((before[k] != after[k]).any() for k in before)
