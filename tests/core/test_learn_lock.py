"""One training at a time in a run's folder: who comes second is told so at once and touches nothing of the first."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager

import pytest

from swf_core.errors import UserError
from swf_core.learn import picks
from swf_core.learn.fork import RunAt, resume
from swf_core.learn.locks import TRAINING, training_lock
from swf_core.learn.run import create_run, open_run
from swf_core.learn.run_lookup import find_or_create
from swf_core.learn.train import train

from support.cli import files_under, swf
from support.learn_runs import PROMPTS, QUICK, begin
from support.tiny_models import fresh_backend

SHORT = QUICK.changed(steps=2, sample_every=2, sample_steps=1, save_every=2)
BUSY = "is being trained at this moment"


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    run, backend = begin(tmp_path_factory.mktemp("runs") / "style", SHORT)
    train(run, backend)
    return run


@contextmanager
def another_training(folder):
    """Another thread holds the run, as a graph of the host's does."""
    ready, end = threading.Event(), threading.Event()

    def hold():
        with training_lock(folder):
            ready.set()
            end.wait(60)

    thread = threading.Thread(target=hold)
    thread.start()
    assert ready.wait(10)
    try:
        yield
    finally:
        end.set()
        thread.join()


def test_whoever_trains_second_gets_one_sentence_and_changes_nothing(trained):
    backend, again = fresh_backend("sd15"), fresh_backend("sd15")
    with another_training(trained.folder):
        before = {name: (trained.folder / name).stat().st_mtime_ns for name in files_under(trained.folder)}
        for attempt in (
            lambda: train(open_run(trained.folder), backend),
            lambda: resume(RunAt(trained.folder, 2), again, 2),  # LoRA Train On
            lambda: find_or_create(  # LoRA Style Train, further than before
                trained.folder.parent, "style", again, SHORT.changed(steps=4), trained.items, PROMPTS
            ),
            lambda: create_run(trained.folder, again, SHORT, trained.items, PROMPTS),
        ):
            with pytest.raises(UserError, match=BUSY):
                attempt()
        for options in (("--more", 2), ("--use", 2), ()):
            result = swf("train", "--run", trained.folder, *options)
            assert result.returncode == 2 and BUSY in result.stderr and result.stderr.count("\n") == 1
        assert before == {name: (trained.folder / name).stat().st_mtime_ns for name in files_under(trained.folder)}
    assert train(open_run(trained.folder), backend).step == 2
    assert not (trained.folder / TRAINING).exists()


def test_picks_are_made_while_a_training_runs(trained):
    ids = [r["id"] for r in trained.records("samples") if r["lora"]]
    with another_training(trained.folder):
        assert swf("pick", "--run", trained.folder, "--accept", ids[0]).returncode == 0
    assert picks.read_picks(trained.folder)["accepted"] == ids[:1]


def test_the_sweep_leaves_what_others_write(tmp_path):
    run, backend = begin(tmp_path / "run", SHORT.changed(sample_every=0))
    halves = [".state.safetensors.x.part", "data/.0123456789abcdef.png.x.part", ".run.json.x.part"]
    others = [".picks.json.x.part", ".download.part", "mine/.state.safetensors.x.part"]
    (run.folder / "mine").mkdir()
    for name in [*halves, *others]:
        (run.folder / name).write_bytes(b"half")
    with another_training(run.folder), pytest.raises(UserError, match=BUSY):
        train(run, backend)
    assert all((run.folder / name).exists() for name in halves)  # the other training may be writing them
    train(run, backend)
    assert [name for name in [*halves, *others] if (run.folder / name).exists()] == others


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_lock_whose_holder_was_killed_locks_nobody_out(tmp_path):
    run, backend = begin(tmp_path / "run", SHORT.changed(sample_every=0))
    script = "import sys, time, filelock; lock = filelock.FileLock(sys.argv[1]); lock.acquire(); print(1, flush=True)"
    command = [sys.executable, "-c", script + "; time.sleep(60)", str(run.folder / TRAINING)]
    holder = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert holder.stdout and holder.stdout.readline()
    with pytest.raises(UserError, match=BUSY):
        train(run, backend)
    holder.send_signal(signal.SIGKILL)
    holder.wait(10)
    holder.stdout.close()
    assert (run.folder / TRAINING).exists() and train(run, backend).step == 2


def test_a_lock_leaves_no_empty_folder_and_a_new_run_may_begin_beside_a_left_one(tmp_path):
    with training_lock(tmp_path / "deep" / "new"):
        assert (tmp_path / "deep" / "new" / TRAINING).exists()
    assert not list(tmp_path.iterdir())
    (tmp_path / "left").mkdir()
    (tmp_path / "left" / TRAINING).write_bytes(b"")  # a training was killed before it had written anything
    run, _ = begin(tmp_path / "left")
    assert json.loads((run.folder / "run.json").read_text())["rounds"][0]["steps"] == QUICK.steps
