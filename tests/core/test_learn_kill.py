"""A training whose process is killed: its last checkpoint is whole and the end is the same."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from swf_core.learn import picks
from swf_core.learn.train import train

from support.learn_runs import QUICK, begin, same, weights

ROOT = Path(__file__).resolve().parents[2]


LIVES = """
import os, sys
sys.path[:0] = [{root!r}, {root!r} + "/tests"]  # by file: some package may have left a `tests` of its own
from pathlib import Path
from swf_core.learn.run import open_run
from swf_core.learn.train import train
from support.tiny_models import fresh_backend
for _ in sys.stdin:  # a line for each life: a fork, since the imports above cost seconds
    if not (child := os.fork()):
        backend = fresh_backend("sd15")
        print("ready", os.getpid(), flush=True)
        print("done", train(open_run(Path({folder!r}), backend), backend).step, flush=True)
        os._exit(0)
    print("ended", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class Lives:
    """A process in which the training of a run can begin again and again."""

    def __init__(self, folder: Path):
        script = LIVES.format(root=str(ROOT), folder=str(folder))
        pipe = subprocess.PIPE
        self.process = subprocess.Popen([sys.executable, "-c", script], stdin=pipe, stdout=pipe, text=True)

    def begin(self) -> int:
        """Start the training and return its process id when its model is ready."""
        assert self.process.stdin
        self.process.stdin.write("again\n")
        self.process.stdin.flush()
        return int(self.line().removeprefix("ready "))

    def line(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline().strip()

    def end(self) -> None:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()


@pytest.mark.parametrize("kills", [3, pytest.param(20, marks=pytest.mark.slow)])
def test_kill_9_at_random_moments_loses_nothing(tmp_path, kills):
    """The last checkpoint is whole whenever the process dies, and the end is the one of an unbroken run, to the bit."""
    options = QUICK.changed(steps=25 * kills, sample_every=25, save_every=5)
    whole, backend = begin(tmp_path / "whole", options)
    train(whole, backend)
    run, _ = begin(tmp_path / "broken", options)
    rng, accepted = random.Random(3), set()
    (run.folder / "samples").mkdir()
    for name in (".state.safetensors.x.part", "samples/.step.x.part"):  # as a kill in the middle of writing leaves them
        (run.folder / name).write_bytes(b"half")
    lives = Lives(run.folder)
    for _ in range(kills):
        trainer = lives.begin()
        time.sleep(rng.uniform(0.0, 2.0))
        os.kill(trainer, signal.SIGKILL)
        assert lives.line() == f"ended {-signal.SIGKILL}"
        if (run.folder / "samples.json").exists():  # a pick between two lives
            ids = [r["id"] for r in run.records("samples") if r["lora"]]
            accepted |= set(ids[-1:])
            picks.set_verdict(run.folder, accept=ids[-1:])
    lives.begin()
    assert lives.line() == f"done {options.steps}" and lives.line() == "ended 0"
    lives.end()
    assert same(weights(run.folder), weights(whole.folder)) and not list(run.folder.rglob("*.part"))
    assert set(picks.read_picks(run.folder)["accepted"]) == accepted
