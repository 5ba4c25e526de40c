"""One training by several processes: whose rows are whose, sums that equal one process's, and how all end together."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import nullcontext
from functools import partial
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from swf_core import models
from swf_core.cli import main
from swf_core.errors import UserError
from swf_core.learn import gradient
from swf_core.learn.checkpoint import saved_losses
from swf_core.learn.latent_cache import LatentCache
from swf_core.learn.prior import Prior, make_pictures
from swf_core.learn.processes import ALONE, Together, launched
from swf_core.learn.train import TrainingLoop
from swf_core.models.lora import without_lora
from swf_core.pictures import save

from support.learn_runs import QUICK, begin, same, weights
from support.tiny_models import picture

ROOT = Path(__file__).resolve().parents[2]
# The command line in double precision: mini's gradients in float32 differ by 3e-5 by which rows are summed first.
SCRIPT = """
import sys
from contextlib import nullcontext
from functools import partial
import torch
from swf_core import models
from swf_core.cli import main
from swf_core.learn import gradient
gradient.mixed_precision = lambda device: nullcontext()
models.load = partial(models.load, dtype=torch.float64)
sys.exit(main(sys.argv[1:]))
"""
STEPS = 4


@pytest.fixture
def full_precision(monkeypatch):
    monkeypatch.setattr(gradient, "mixed_precision", lambda device: nullcontext())


@pytest.mark.parametrize(("batch", "accumulate", "count"), [(8, 1, 2), (3, 2, 2), (1, 4, 3), (5, 1, 4)])
def test_every_row_of_a_step_is_one_process_s(batch, accumulate, count):
    rows = [
        [(p, r) for p in range(accumulate) for r in Together(k, count, "cpu").own_rows(p, batch)] for k in range(count)
    ]
    assert sorted(sum(rows, [])) == [(p, r) for p in range(accumulate) for r in range(batch)]
    assert min(map(len, rows)) >= 1 and max(map(len, rows)) - min(map(len, rows)) <= 1
    assert ALONE.own_rows(0, batch) is None


@pytest.mark.parametrize("options", [QUICK.changed(batch=5), QUICK.changed(batch=1, accumulate=4, prior_weight=1.0)])
def test_the_gradients_of_all_add_up_to_that_of_one(options, tmp_path, full_precision):
    options = options.changed(prior_count=3, min_snr=5.0)
    run, backend = begin(tmp_path / "run", options)
    loop, cache = TrainingLoop(run, backend), LatentCache(run.items, backend, options)
    with torch.no_grad():  # or the gradients of the first factors are zero
        for name, parameter in loop.parameters.items():
            if name.endswith(".up"):
                parameter.normal_(generator=torch.Generator().manual_seed(1)).mul_(0.1)
    prior = None
    if options.prior_weight:
        make_pictures(run, without_lora(backend, loop.adapter), options)
        prior = Prior(run, without_lora(backend, loop.adapter), options)

    def summed(groups):
        loop.optimizer.zero_grad(set_to_none=True)
        loss = sum(gradient.leave_gradient(loop.network, cache, prior, options, 3, group) for group in groups)
        return loss, torch.cat([p.grad.flatten() for p in loop.parameters.values()])

    loss, whole = summed([ALONE])
    for count in (2, 3):
        parts_loss, parts = summed([Together(k, count, "cpu") for k in range(count)])
        assert parts_loss == pytest.approx(loss, rel=1e-5)
        assert float((parts - whole).norm() / whole.norm()) < 1e-5


def test_fewer_rows_than_processes_are_refused():
    with pytest.raises(UserError, match="3 processes share a step of 2 rows .* --batch 3 or more, or start at most 2"):
        Together(0, 3, "cpu").begin_alike(0, {}, 2)


def test_one_process_asks_nobody(monkeypatch):
    for name in ("WORLD_SIZE", "PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "MV2_COMM_WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    assert not launched()
    monkeypatch.setenv("WORLD_SIZE", "1")
    assert not launched()
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert launched()


@pytest.mark.parametrize(
    ("device", "sentence"),
    [("cpu", "train: A training by several processes needs the package accelerate"), ("mps", "device 'mps'")],
)
def test_what_is_missing_is_one_sentence(device, sentence, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setitem(sys.modules, "accelerate", None)
    assert main(["train", "--run", str(tmp_path / "run"), "--device", device]) == 2
    said = capsys.readouterr().err
    assert sentence in said and said.count("\n") == 1 and not (tmp_path / "run").exists()


# ---- real processes -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with the script, a picture, and an unbroken run of two processes."""
    folder = tmp_path_factory.mktemp("together")
    save(folder / "style.png", picture(3, 128, 128))
    (folder / "script.py").write_text(SCRIPT)
    process = launch(folder, new_run(folder / "two", STEPS))
    out, err = process.communicate(timeout=240)
    assert process.returncode == 0, err
    assert out.splitlines() == [str(folder / "two" / "lora.safetensors")]  # said once
    return folder


def new_run(folder, steps, batch=3, **more):
    flags = {"views": 3, "accumulate": 2, "sample_every": 0, "save_every": 1} | more
    options = [part for name, value in flags.items() for part in (f"--{name.replace('_', '-')}", str(value))]
    texts = [
        "--caption",
        "a house",
        "--style",
        str(folder.parent / "style.png"),
        "--steps",
        str(steps),
        "--batch",
        str(batch),
    ]
    return ["train", "--run", str(folder), "--device", "cpu", *texts, *options]


def launch(folder, verb):
    """Two processes as a person starts them; `--multi_gpu` also on a processor, where `--cpu` would start one alone."""
    command = ["-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2", "--main_process_port", "0"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    return subprocess.Popen(
        [sys.executable, *command, str(folder / "script.py"), *verb],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def difference(a, b):
    """The largest relative difference of weights and moments of two runs' checkpoints."""
    one, other = load_file(a / "state.safetensors"), load_file(b / "state.safetensors")
    assert one.keys() == other.keys()
    kinds = {}
    for name in one:
        kinds.setdefault(name.split(".")[0], []).append(name)
    flat = [[torch.cat([d[n].double().flatten() for n in names]) for names in kinds.values()] for d in (one, other)]
    return {kind: float((x - y).norm() / x.norm()) for kind, x, y in zip(kinds, *flat)}


def sentences(stderr):
    return [line for line in stderr.splitlines() if line.startswith("train: ") and "|" not in line]


def wait_for(condition, process, seconds=120.0):
    end = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None and time.monotonic() < end, process.communicate()[1]
        time.sleep(0.05)


@pytest.mark.slow
def test_two_processes_learn_what_one_does(place, full_precision, monkeypatch, capsys):
    monkeypatch.setattr(models, "load", partial(models.load, dtype=torch.float64))
    assert main(new_run(place / "one", STEPS)) == 0
    for kind, value in difference(place / "one", place / "two").items():
        assert value < 1e-5, (kind, value)
    names = [sorted(p.relative_to(f).as_posix() for p in f.rglob("*")) for f in (place / "one", place / "two")]
    assert names[0] == names[1]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_ends_both_and_the_run_goes_on_to_the_same_bits(number, place):
    folder = place / f"stopped{int(number)}"
    process = launch(place, new_run(folder, STEPS))
    wait_for((folder / "state.safetensors").exists, process)
    process.send_signal(number)
    _, err = process.communicate(timeout=90)
    assert process.returncode != 0 and sentences(err) == ["train: stopped."], err
    assert 0 < len(saved_losses(folder)) < STEPS
    process = launch(place, ["train", "--run", str(folder), "--device", "cpu"])
    _, err = process.communicate(timeout=240)
    assert process.returncode == 0, err
    assert same(weights(folder), weights(place / "two"))


@pytest.mark.slow
def test_one_that_is_killed_ends_the_other_with_one_sentence(place):
    folder = place / "killed"
    process = launch(place, new_run(folder, 500))
    wait_for((folder / "state.safetensors").exists, process)
    os.kill(second_of(process.pid), signal.SIGKILL)
    _, err = process.communicate(timeout=90)
    assert process.returncode != 0
    assert len(sentences(err)) == 1 and ("has ended or does not answer" in err or "stopped" in err), err


def second_of(launcher):
    """The process of rank 1 among a launcher's."""
    for children in Path(f"/proc/{launcher}/task").glob("*/children"):
        for child in children.read_text().split():
            if b"RANK=1" in Path(f"/proc/{child}/environ").read_bytes().split(b"\0"):
                return int(child)
    raise AssertionError("no process of rank 1")


@pytest.mark.slow
def test_what_the_first_refuses_ends_all_with_one_sentence(place):
    process = launch(place, new_run(place / "refused", 2, batch=1, accumulate=1))
    _, err = process.communicate(timeout=120)
    assert process.returncode != 0 and len(sentences(err)) == 1, err
    assert "2 processes share a step of 1 rows" in sentences(err)[0]
