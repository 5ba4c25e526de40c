"""A round whose loss was no number: it is not repeated blindly, and its advice can be followed."""

from __future__ import annotations

import argparse
import json
import math

import pytest
import torch
from safetensors.torch import load_file

from swf_core.cli import train as verb
from swf_core.errors import UserError
from swf_core.learn import checkpoint
from swf_core.learn.fork import RunAt, resume
from swf_core.learn.run import open_run
from swf_core.learn.run_lookup import find_or_create
from swf_core.learn.train import train

from support.learn_runs import PROMPTS, QUICK, begin
from support.tiny_models import fresh_backend

OPTIONS = QUICK.changed(steps=6, sample_every=2, sample_steps=1, save_every=2)


def fail(run, backend, step: int, value: float = math.nan) -> str:
    """Train until a step at which the network has a weight that is no number; what is said then."""
    weight = next(iter(backend.denoiser.network.parameters())).data
    before = weight.clone()

    def report(now, total, word, pictures):
        if now == step and word.startswith("loss"):
            weight.fill_(value)

    with pytest.raises(UserError) as error:
        train(run, backend, report=report)
    weight.copy_(before)
    return str(error.value)


def more(folder, backend, *flags):
    """The run as `train --more 4` goes on with it."""
    parser = argparse.ArgumentParser()
    verb.add(parser.add_subparsers())
    args = parser.parse_args(["train", "--run", str(folder), "--more", "4", *flags])
    return verb._with_more_steps(args, backend)


def numbers_of(folder) -> bool:
    return all(bool(torch.isfinite(value).all()) for value in load_file(folder / "state.safetensors").values())


def test_more_after_a_failed_round_wants_a_learning_rate_and_goes_on_from_the_last_sound_step(tmp_path):
    run, backend = begin(tmp_path / "run", OPTIONS)
    sentence = fail(run, backend, 5)
    assert "is nan at step 5" in sentence and "--more N --learning-rate 0.0033" in sentence
    assert numbers_of(run.folder) and open_run(run.folder).rounds[0]["failed"] == 5
    before = (run.folder / "run.json").read_bytes()
    with pytest.raises(UserError, match="would fail again; give --learning-rate 0.0033 or lower"):
        more(run.folder, fresh_backend("sd15"))
    assert (run.folder / "run.json").read_bytes() == before
    backend = fresh_backend("sd15")
    again = more(run.folder, backend, "--learning-rate", "1e-3")
    assert [(r["first"], r["steps"]) for r in again.rounds] == [(0, 4), (4, 4)] and "failed" not in again.rounds[0]
    outcome = train(again, backend)
    assert outcome.step == 8 and math.isfinite(outcome.loss) and numbers_of(run.folder)
    rates = [float(line.split(",")[2]) for line in (run.folder / "loss.csv").read_text().splitlines()[1:]]
    assert rates == [1e-2] * 4 + [1e-3] * 4
    assert [s["step"] for s in again.records("signals")] == [0, 2, 4, 6, 8]
    assert not (run.folder / "failed").exists()  # nothing was made after that step


def test_a_state_whose_loss_had_exploded_is_not_gone_on_from(tmp_path):
    run, backend = begin(tmp_path / "run", OPTIONS)
    train(run, backend)
    backend = fresh_backend("sd15")
    run = open_run(run.folder, backend)
    run.add_round(6)
    run.save()
    fail(run, backend, 11)
    # A round goes on from its last checkpoint only where its loss had not exploded by then.
    state = checkpoint.read_checkpoint(run.folder / "state.safetensors")
    assert state.step == 10 and state.is_sound
    exploded = checkpoint.Checkpoint(10, [*state.losses[:4], *[v * 1e3 for v in state.losses[4:]]], state.rates, {})
    assert not exploded.is_sound
    (run.folder / "state.safetensors").write_bytes(b"damaged too")
    backend = fresh_backend("sd15")
    again = more(run.folder, backend, "--learning-rate", "1e-3")  # from the end of the first round, which was kept
    assert [(r["first"], r["steps"]) for r in again.rounds] == [(0, 6), (6, 4)]
    assert {r["step"] for r in again.records("samples")} == {0, 2, 4, 6}
    kept = sorted(p.relative_to(run.folder / "failed").as_posix() for p in (run.folder / "failed").rglob("*.*"))
    assert [k for k in kept if k.startswith("samples")] == [
        f"samples/step_{s:06d}_{k:02d}.png" for s in (8, 10) for k in (0, 1)
    ]
    assert train(again, backend).step == 10


def test_a_failed_first_round_without_a_sound_state_begins_again_at_its_beginning(tmp_path):
    run, backend = begin(tmp_path / "run", OPTIONS.changed(save_every=50, sample_every=0))
    fail(run, backend, 3)
    backend = fresh_backend("sd15")
    again = more(run.folder, backend, "--learning-rate", "1e-3")
    assert [(r["first"], r["steps"]) for r in again.rounds] == [(0, 4)]
    assert train(again, backend).step == 4


@pytest.mark.parametrize("max_grad_norm", [0.0, 1.0])
def test_a_gradient_that_is_no_number_never_reaches_the_weights(tmp_path, monkeypatch, max_grad_norm):
    """A loss may be finite while its gradient is not: half precision overflows there first."""
    run, backend = begin(tmp_path / "run", OPTIONS.changed(sample_every=0, max_grad_norm=max_grad_norm))

    class Overflow(torch.autograd.Function):
        @staticmethod
        def forward(ctx, value):
            return value.clone()

        @staticmethod
        def backward(ctx, gradient):
            return gradient * math.inf

    from swf_core.learn import gradient as module

    loss = module.denoising_loss
    count = [0]

    def overflowing(*args, **kwargs):
        count[0] += 1
        return Overflow.apply(loss(*args, **kwargs)) if count[0] > 2 else loss(*args, **kwargs)

    monkeypatch.setattr(module, "denoising_loss", overflowing)
    with pytest.raises(UserError, match="gradient is (inf|nan) at step 2"):
        train(run, backend)
    assert numbers_of(run.folder)


def test_in_graphs_a_failed_round_is_left_behind_by_a_lower_rate(tmp_path):
    run, backend = begin(tmp_path / "style", OPTIONS)
    train(run, backend)
    backend = fresh_backend("sd15")
    on, _ = resume(RunAt(run.folder, 6), backend, 4, learning_rate=1e-1)
    fail(on, backend, 9)
    backend = fresh_backend("sd15")
    on, end = resume(RunAt(run.folder, 6), backend, 4, learning_rate=1e-3)  # LoRA Train On
    assert on.folder.name == "style 2" and train(on, backend, until=end).step == 10 and numbers_of(on.folder)
    backend = fresh_backend("sd15")
    further = OPTIONS.changed(steps=14)
    same = find_or_create(tmp_path, "style", backend, further, run.items, PROMPTS)  # LoRA Style Train: no round more
    assert same.steps == 10 and len(json.loads((run.folder / "run.json").read_text())["rounds"]) == 2
    assert train(same, backend).step == 10  # asked for again as it was, it is tried again, and the mark goes
    assert "failed" not in open_run(run.folder).rounds[1]
