"""Verbs whose process is killed or asked to end: whole files only, exit code 143, and the work can be done again."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from swf_core.cli.stopping import BetweenSteps, Terminated, exit_code, stoppable
from swf_core.learn import picks
from swf_core.learn.train import train
from swf_core.pictures import save

from support.cli import process_arguments
from support.learn_runs import QUICK, begin
from support.lives import Lives
from support.tiny_models import picture

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither fork nor SIGKILL")

VERB = """
import torch, swf_core.transfer, swf_core.models.mini, swf_core.color.match
from swf_core.cli import main

def live(*arguments):
    ready()
    code = main(arguments)
    if code > 128:
        raise KeyboardInterrupt if code == 130 else Stopped(code - 128)
    return code

from swf_core.cli.stopping import Terminated as Stopped
"""
PICKS = """
import filelock, torch, swf_core.learn.picks, swf_core.learn.run
from swf_core.cli import main

def live(folder, ids):
    ready()
    for k in range(4):
        name = ids[k % len(ids)]
        for more in (["--accept", name], ["--caption", name, f"caption {k}"], ["--reject", name]):
            code = main(["pick", "--run", folder, *more])
            if code > 128:
                raise Stopped(code - 128)
            assert code == 0

from swf_core.cli.stopping import Terminated as Stopped
"""
KILLS = pytest.mark.parametrize("kills", [4, pytest.param(20, marks=pytest.mark.slow)])


@KILLS
@pytest.mark.parametrize("verb", ["stylize", "recolor"])
def test_a_verb_that_is_ended_at_any_moment_leaves_whole_files_alone(tmp_path, verb, kills):
    for k, side in enumerate((64, 48, 1600)):
        save(tmp_path / f"{k}.png", picture(k, side, side))
    first, second, large = (tmp_path / f"{k}.png" for k in range(3))
    out = tmp_path / "out"
    arguments = {
        "stylize": [
            *["stylize", "--content", first, second, "--style", second],
            *["--prompt", "", "--steps", 2, "--size", 64, "--out", out],
        ],
        "recolor": ["recolor", "--image", large, "--like", first, "--method", "histogram", "--out", out / "a.png"],
    }[verb]
    rng = random.Random(3)
    with Lives(VERB, *map(str, arguments)) as lives:
        seconds = lives.whole()
        expected = {path.name: path.read_bytes() for path in out.iterdir()}
        assert len(expected) == {"stylize": 2, "recolor": 1}[verb]
        codes = []
        for kill in range(kills):
            for path in list(out.iterdir()) if kill % 3 else ():  # now and then they are there from before
                path.unlink()
            terminated = kill % 2 == 0
            moment = rng.uniform(0.0, seconds) if kill > 1 else 0.1 * seconds
            codes.append(lives.killed(moment, signal.SIGTERM if terminated else signal.SIGKILL))
            assert codes[-1] in ((143, 0) if terminated else (-signal.SIGKILL, 0)), codes
            found = list(out.iterdir()) if out.exists() else []
            assert all(path.read_bytes() == expected[path.name] for path in found if not path.name.startswith("."))
            if terminated:  # it had the time to take away what was half written
                assert not [path for path in found if path.name.startswith(".")]
        assert 143 in codes and -signal.SIGKILL in codes
        lives.whole()
    assert {p.name: p.read_bytes() for p in out.iterdir() if not p.name.startswith(".")} == expected


@KILLS
def test_a_picker_that_is_ended_at_any_moment_loses_no_verdict(tmp_path, kills):
    run, backend = begin(tmp_path / "run", QUICK.changed(steps=1, sample_every=1, sample_steps=1))
    train(run, backend)
    ids = [r["id"] for r in run.records("samples") if r["lora"]]
    rng = random.Random(3)
    with Lives(PICKS, run.folder, ids) as lives:
        seconds = lives.whole()
        version = picks.read_picks(run.folder)["version"]
        assert version == 12
        for kill in range(kills):
            number = signal.SIGTERM if kill % 2 else signal.SIGKILL
            code = lives.killed(rng.uniform(0.0, seconds), number)
            assert code in (0, 143 if kill % 2 else -signal.SIGKILL)
            content = picks.read_picks(run.folder)  # whole, and of the right shape
            assert content["version"] >= version and {*content["accepted"], *content["rejected"]} <= set(ids)
            version = content["version"]
            assert picks.set_verdict(run.folder, accept=ids)["accepted"] == ids  # nobody holds the lock
            version += 1
    assert version > 12 + kills  # some were given before the end
    assert not list(run.folder.glob(".picks.json.*.part"))


def test_sigterm_saves_the_very_step_of_a_training_and_its_exit_code_is_143(tmp_path):
    save(tmp_path / "style.png", picture(1, 128, 128))
    folder = tmp_path / "run"
    options = ("--views", 2, "--batch", 1, "--rank", 2, "--sample-every", 0, "--save-every", 1000, "--steps", 100_000)
    new_run = ("train", "--style", tmp_path / "style.png", "--caption", "a teapot", "--run", folder, *options)
    child = subprocess.Popen(**process_arguments(*new_run), stderr=subprocess.PIPE, text=True)
    try:
        assert child.stderr
        seen, end = "", time.monotonic() + 180
        while "loss" not in seen and time.monotonic() < end:  # the bar, at the first steps
            seen += child.stderr.read(20)
        child.send_signal(signal.SIGTERM)
        rest = child.stderr.read()
        assert child.wait(60) == 143 and rest.endswith("train: stopped.\n")
    finally:
        child.kill()
        child.wait(10)
        child.stderr.close()
    steps = len((folder / "loss.csv").read_text().splitlines()) - 1
    assert 0 < steps < 1000  # before the first checkpoint was due
    assert (folder / "state.safetensors").exists() and not list(folder.rglob(".*"))


def test_each_signal_has_the_exit_code_that_shells_give_it():
    for number, code in ((signal.SIGTERM, 143), (signal.SIGHUP, 129)):
        before = signal.signal(number, signal.SIG_DFL)  # nohup ignores one
        with pytest.raises(Terminated) as stop, stoppable():
            os.kill(os.getpid(), number)
            time.sleep(1)
        assert exit_code(stop.value) == code and signal.getsignal(number) == signal.SIG_DFL
        signal.signal(number, before)
    assert exit_code(KeyboardInterrupt()) == 130


def test_between_steps_a_second_signal_does_not_wait():
    with BetweenSteps() as stops:
        stops.check()
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.01)  # the step goes on
        with pytest.raises(Terminated):
            stops.check()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(1)


def test_a_signal_that_is_ignored_stays_so():
    """As under nohup, which lets a training outlive its terminal."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stoppable():
            os.kill(os.getpid(), signal.SIGHUP)
            time.sleep(0.01)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_files_are_listed_for_a_person_only_once_they_are_whole(tmp_path):
    """Whoever asks for the end while files are written gets none of them half."""
    from swf_core import files

    def stop(*_):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(1)

    with pytest.MonkeyPatch.context() as patch, pytest.raises(Terminated), stoppable():
        patch.setattr(os, "fsync", stop)
        files.write_files({Path(tmp_path / "new" / "a"): b"1" * 1000, Path(tmp_path / "new" / "b"): b"2"})
    assert not list(tmp_path.iterdir())
