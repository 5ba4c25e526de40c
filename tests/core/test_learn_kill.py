"""A training whose process is killed or asked to end: its last checkpoint is whole and the end is the same."""

from __future__ import annotations

import os
import random
import signal
import time

import pytest

from swf_core.errors import UserError
from swf_core.learn import picks
from swf_core.learn.locks import TRAINING as LOCK
from swf_core.learn.locks import training_lock
from swf_core.learn.train import train

from support.learn_runs import QUICK, begin, same, weights
from support.lives import Lives

TRAINING = """
from swf_core.cli.stopping import BetweenSteps
from swf_core.learn.run import open_run
from swf_core.learn.train import train
from support.tiny_models import fresh_backend

def live(folder):
    backend = fresh_backend("sd15")
    with BetweenSteps() as stops:
        ready()
        return train(open_run(Path(folder), backend), backend, check=stops.check).step
"""


@pytest.mark.parametrize("kills", [3, pytest.param(20, marks=pytest.mark.slow)])
def test_kill_9_at_random_moments_loses_nothing(tmp_path, kills):
    """The last checkpoint is whole however the process ends, and the end is the one of an unbroken run, to the bit."""
    options = QUICK.changed(steps=25 * kills, sample_every=25, save_every=5)
    whole, backend = begin(tmp_path / "whole", options)
    train(whole, backend)
    run, _ = begin(tmp_path / "broken", options)
    rng, accepted = random.Random(3), set()
    (run.folder / "samples").mkdir()
    for name in (".state.safetensors.x.part", "samples/.step.x.part"):  # as a kill in the middle of writing leaves them
        (run.folder / name).write_bytes(b"half")
    with Lives(TRAINING, run.folder) as lives:
        for kill in range(kills):
            signal_sent = signal.SIGTERM if kill % 2 else signal.SIGKILL
            trainer = lives.begin()
            if kill == 0:
                refuse_another_training(run)
            time.sleep(rng.uniform(0.0, 2.0))
            os.kill(trainer, signal_sent)
            assert lives.ended() == (143 if kill % 2 else -signal.SIGKILL)
            if (run.folder / "samples.json").exists():  # a pick between two lives
                ids = [r["id"] for r in run.records("samples") if r["lora"]]
                accepted |= set(ids[-1:])
                picks.set_verdict(run.folder, accept=ids[-1:])
        lives.begin()
        assert lives.line() == f"done {options.steps}" and lives.ended() == 0
    assert same(weights(run.folder), weights(whole.folder)) and not list(run.folder.rglob("*.part"))
    assert set(picks.read_picks(run.folder)["accepted"]) == accepted


def refuse_another_training(run) -> None:
    """While a process trains, whoever else would is told so at once, and picks can be made."""
    end = time.monotonic() + 60
    while not (run.folder / LOCK).exists():
        assert time.monotonic() < end
        time.sleep(0.05)
    with pytest.raises(UserError, match="is being trained at this moment"), training_lock(run.folder):
        pass
    assert picks.mark_reviewed(run.folder, 0)["answered"] == [0]
