"""The verbs `train` and `pick` as a person meets them: train, stop, resume, choose, use the LoRA."""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from swf_core.cli import train
from swf_core.learn import options
from swf_core.measure.benches.lessons import lessons
from swf_core.pictures import save

from support.cli import process_arguments, swf

QUICK = ("--views", 2, "--batch", 2, "--rank", 2, "--sample-every", 2, "--prompt", "a red cat", "a blue house")


@pytest.fixture(scope="module")
def style(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("style") / "teapot.png"
    save(path, lessons(1, 1)[0].picture)
    return path


@pytest.fixture
def short_sampling(monkeypatch):
    """Evaluations of a run sample in 4 steps: what a training costs here is mostly its samples."""
    defaults = options.defaults
    monkeypatch.setattr(options, "defaults", lambda family: defaults(family).changed(sample_steps=4))


@pytest.mark.usefixtures("short_sampling")
def test_train_pick_train_more_choose_a_step_and_use_the_lora(style, tmp_path):
    folder = tmp_path / "run"
    result = swf("train", "--style", style, "--run", folder, "--steps", 4, *QUICK, "--json")
    assert result.returncode == 0, result.stderr
    report = json.loads(result.stdout.splitlines()[-1])
    assert report["step"] == 4 and report["written"] == [str(folder / "lora.safetensors")]
    (text,) = report["captions"]  # by the captioner, without the style's words
    assert "teapot" in text and "neon" not in text and report["advice"]

    listed = swf("pick", "--run", folder)
    rows = [line.split() for line in listed.stdout.splitlines()]
    assert len(rows) == 4 and {r[2] for r in rows} == {"2", "4"}
    ids = [r[0] for r in rows]
    picked = json.loads(swf("pick", "--run", folder, "--accept", ids[0], "--reject", ids[1], "--json").stdout)
    assert (picked["accepted"], picked["rejected"]) == ([ids[0]], [ids[1]])
    auto = json.loads(swf("pick", "--run", folder, "--auto", 1, "--json").stdout)
    assert set(picked["accepted"]) < set(auto["accepted"]) <= set(ids)

    more = swf("train", "--run", folder, "--more", 2, "--learning-rate", 5e-4, "--json")
    assert more.returncode == 0 and json.loads(more.stdout.splitlines()[-1])["step"] == 6, more.stderr
    rounds = json.loads((folder / "run.json").read_text())["rounds"]
    assert rounds[1]["picks"] == auto["accepted"] and rounds[1]["options"]["learning_rate"] == 5e-4
    used = swf("train", "--run", folder, "--use", 2)
    assert (
        used.returncode == 0
        and (folder / "loras" / "step_000002.safetensors").read_bytes() == (folder / "lora.safetensors").read_bytes()
    )

    pictures = []
    for k, more in enumerate(((), ("--lora-guidance", "both"), ("--lora-weight", 0))):
        out = tmp_path / f"out{k}"
        lora = ("--lora", folder / "lora.safetensors", *more)
        result = swf("sample", "--prompt", "a red cat", "--steps", 4, "--out", out, *lora)
        assert result.returncode == 0, result.stderr
        pictures.append(np.asarray(Image.open(out / "sample_0_000.png"), dtype=int))
    out = tmp_path / "repainted"
    pictures_of = ("--content", style, "--style", style, "--prompt", "")
    result = swf("stylize", *pictures_of, "--steps", 2, "--out", out, *lora, "--json")
    assert result.returncode == 0 and json.loads(result.stdout)["options"]["adain"] == 0.0, result.stderr
    plain = tmp_path / "plain"
    swf("sample", "--prompt", "a red cat", "--steps", 4, "--out", plain)
    # In one batch or two, the last bit of a float may differ, and with it the last of eight.
    assert abs(pictures[2] - np.asarray(Image.open(plain / "sample_0_000.png"), dtype=int)).max() <= 1
    assert abs(pictures[0] - pictures[1]).max() > 1 < abs(pictures[0] - pictures[2]).max()


@pytest.mark.parametrize("flags", [("--bias", "--guidance"), ("--timestep-bias", "--lora-guidance")])
@pytest.mark.parametrize("value", ["both branches", "both"])
def test_flags_and_values_of_before_mean_the_same(flags, value):
    parser = argparse.ArgumentParser()
    train.add(parser.add_subparsers())
    args = parser.parse_args(["train", "--run", "x", flags[0], "detail", flags[1], value])
    assert train._changes(args) == {"timestep_bias": "detail", "lora_guidance": "both"}


def interrupt_training(folder: Path, arguments: tuple, seconds: float) -> None:
    """Start a training, press Ctrl-C some seconds after its run was begun, and wait for its end."""
    child = subprocess.Popen(**process_arguments(*arguments), stderr=subprocess.PIPE, text=True)
    end = time.monotonic() + 120
    while not (folder / "run.json").exists() and child.poll() is None and time.monotonic() < end:
        time.sleep(0.1)
    time.sleep(seconds)
    child.send_signal(signal.SIGINT)
    assert child.wait(60) == 130 and child.stderr and "stopped" in child.stderr.read()


def test_ctrl_c_saves_the_very_step(style, tmp_path):
    folder = tmp_path / "run"
    new_run = ("train", "--style", style, "--caption", "an oil painting of a teapot", "--run", folder, "--steps", 400)
    interrupt_training(folder, (*new_run, *QUICK, "--sample-every", 0), 4)
    for seconds in (15, 60):  # on a busy machine Ctrl-C may have come before the first step
        if not (folder / "loss.csv").exists():
            interrupt_training(folder, ("train", "--run", folder), seconds)
    steps = len((folder / "loss.csv").read_text().splitlines()) - 1
    assert 0 < steps < 400
    assert json.loads((folder / "run.json").read_text())["data"][0]["caption"] == "a teapot"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["train", "--run", "RUN"], "There is no run in"),
        (["train", "--run", "RUN", "--style", "none.png"], "none.png"),
        (["train", "--run", "RUN", "--style", "STYLE", "--caption", "a", "b"], "1 pictures and 2 captions"),
        (["train", "--run", "RUN", "--style", "STYLE", "--model", "none"], "does not exist"),
        (["train", "--run", "RUN", "--style", "STYLE", "--targets", "x", "--caption", "a"], "targets is 'x'"),
        (["pick", "--run", "RUN"], "run.json is missing"),
    ],
)
def test_errors_are_one_sentence(style, tmp_path, arguments, sentence):
    names = {"RUN": tmp_path / "run", "STYLE": style}
    result = swf(*(names.get(a, a) for a in arguments))
    assert result.returncode == 2 and sentence in result.stderr and result.stderr.count("\n") == 1, result.stderr
    assert not (tmp_path / "run").exists()
