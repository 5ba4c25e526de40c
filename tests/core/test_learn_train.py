"""Training: data set, losses, exact resume, rounds with picks, what is written and what is refused."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from swf_core.errors import UserError
from swf_core.learn import picks
from swf_core.learn.dataset import Item, items_from_folder, items_of, picture_id
from swf_core.learn.latent_cache import Batch, LatentCache, bucket, crop, draw_probabilities
from swf_core.learn.losses import denoising_loss, draw_noise, draw_timesteps, snr_weight
from swf_core.learn.options import TrainOptions, defaults, from_json, to_json
from swf_core.learn.run import Prompt, create_run, model_identity, open_run
from swf_core.learn.signals import advice, copying, diversity
from swf_core.learn.train import train
from swf_core.models.contracts import Conditioning, join
from swf_core.models.lora_file import read
from swf_core.pictures import save

from support.tiny_models import fresh_backend, picture

ROOT = Path(__file__).resolve().parents[2]
PROMPTS = (Prompt("a red cat", 1), Prompt("a blue house", 2))
QUICK = TrainOptions(
    steps=12, rank=2, learning_rate=1e-2, batch=2, views=4, sample_every=6, sample_steps=2, sample_cfg=2.0, save_every=4
)


def begin(folder, options=QUICK, family="sd15", items=None):
    backend = fresh_backend(family)
    items = items or items_of([picture(1, 64, 64)], ["a red cat"])
    return create_run(folder, backend, options, items, PROMPTS), backend


def weights(folder) -> dict[str, torch.Tensor]:
    return read(folder / "lora.safetensors")[0]


def same(a, b) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


def test_items_are_checked(tmp_path):
    with pytest.raises(UserError, match="data set is empty"):
        items_of([], "x")
    with pytest.raises(UserError, match="3 pictures and 2 captions; give one caption each"):
        items_of([torch.zeros(3, 8, 8)] * 3, ["a", "b"])
    with pytest.raises(UserError, match="holds no picture"):
        items_from_folder(tmp_path)
    save(tmp_path / "b.png", torch.rand(3, 20, 30))
    with pytest.raises(UserError, match="has no caption: 'b.txt' is missing"):
        items_from_folder(tmp_path)
    (tmp_path / "b.txt").write_text(" a red\n house ")
    (item,) = items_from_folder(tmp_path)
    assert item.caption == "a red house" and item.picture.shape == (3, 20, 30) and len(item.id) == 16
    (tmp_path / "c.png").write_bytes(b"no picture")
    with pytest.raises(UserError, match=r"c\.png"):
        items_from_folder(tmp_path, "x")
    with pytest.raises(UserError, match="weights are above 0"):
        Item(torch.zeros(3, 8, 8), "x", weight=0)


@pytest.mark.parametrize(
    ("shape", "size", "step"), [((64, 64), 64, 8), ((300, 200), 512, 64), ((1000, 3000), 512, 64), ((90, 128), 128, 32)]
)
def test_buckets_keep_aspect_and_area(shape, size, step):
    rows, columns = bucket(shape, size, step)
    assert rows % step == columns % step == 0
    assert abs(np.log(rows * columns / size**2)) < 0.35
    assert abs(np.log(rows / columns) - np.log(shape[0] / shape[1])) < 0.3


def test_the_first_view_is_the_whole_picture_and_a_crop_lies_at_its_place():
    whole_picture = picture(1, 64, 64)
    assert torch.equal(crop(whole_picture, (64, 64), 1.0, 0.5, 0.5, 0.0), whole_picture)
    assert torch.equal(crop(whole_picture, (32, 32), 2.0, 0.0, 1.0, 0.0), whole_picture[:, :32, 32:])
    beyond = crop(whole_picture, (64, 64), 1.0, 0.0, 0.0, 0.25)
    assert torch.equal(beyond[:, 16:, 16:], whole_picture[:, :48, :48]) and torch.equal(
        beyond[:, 15, 16:], whole_picture[:, 1, :48]
    )


def test_picks_have_at_most_their_share():
    items = [Item(torch.rand(3, 8, 8), "x"), *(Item(torch.rand(3, 8, 8), "y", origin="step 6") for _ in range(9))]
    p = draw_probabilities(items, 0.5)
    assert p[0] == pytest.approx(0.5) and p.sum() == pytest.approx(1)
    assert draw_probabilities(items[:2], 0.5).tolist() == [0.5, 0.5] and draw_probabilities(
        items[:1], 0.5
    ).tolist() == [1.0]
    heavy = [Item(torch.rand(3, 8, 8), "x", weight=2.0, repeats=3), Item(torch.rand(3, 8, 8), "y")]
    assert draw_probabilities(heavy, 0.5).tolist() == pytest.approx([6 / 7, 1 / 7])
    two = [Item(picture(1, 64, 64), "a cat"), Item(picture(2, 64, 64), "a dog", origin="step 6")]
    latent_cache = LatentCache(two, fresh_backend("sd15"), QUICK.changed(batch=8, picks_share=0.25))
    batches = [latent_cache.draw(step) for step in range(60)]
    picked = torch.cat([b.picked for b in batches if b.picked is not None])
    own = torch.cat(
        [(b.latents[:, None] - latent_cache.latents[1]).abs().amax((2, 3, 4)).amin(1) == 0 for b in batches]
    )
    assert torch.equal(picked, own)
    assert latent_cache.picks_share == pytest.approx(0.25) and abs(float(picked.float().mean()) - 0.25) < 0.06


def test_texts_of_different_lengths_are_joined_without_a_change():
    backend = fresh_backend("sd15")
    short = backend.text.encode(["a cat"], 64, 64)
    long = Conditioning(torch.cat([short.tokens, short.tokens * 0.5], 1))
    latents = torch.randn((1, 4, 8, 8), generator=torch.Generator().manual_seed(2))
    both = backend.denoiser.denoise(torch.cat([latents, latents]), 2.0, join([short, long]))
    for k, one in enumerate((short, long)):
        assert (both[k] - backend.denoiser.denoise(latents, 2.0, one)[0]).abs().max() < 1e-5


@pytest.mark.parametrize("family", ["sd15", "sd2v", "sdxl"])
def test_losses_agree_between_parametrisations(family):
    """The loss of the same prediction as noise, velocity or picture: known ratios of the errors at one level."""
    backend = fresh_backend(family)
    network = backend.denoiser
    latents = torch.randn((1, 4, 8, 8), generator=torch.Generator().manual_seed(2))
    batch = Batch(latents, backend.text.encode(["a cat"], 64, 64))
    for timestep in (50, 500, 900):
        timesteps = torch.tensor([timestep])
        noise = draw_noise(QUICK, latents, (timestep,))
        losses = {
            k: float(denoising_loss(network, batch, timesteps, noise, k).detach())
            for k in ("epsilon", "x0", "v", "native")
        }
        snr = float(1 / network.sigmas[timestep] ** 2)
        assert losses["x0"] * snr == pytest.approx(losses["epsilon"], rel=1e-2)
        assert losses["v"] == pytest.approx(losses["x0"] * (1 + snr), rel=1e-2)
        assert losses["native"] in (losses["epsilon"], losses["v"])
        weighted = float(denoising_loss(network, batch, timesteps, noise, "x0", 5.0).detach())
        assert weighted == pytest.approx(losses["x0"] * min(snr, 5.0), rel=1e-3)
    abar = torch.tensor([0.9])
    assert float(snr_weight(abar, "epsilon", 5.0)) == pytest.approx(5 / 9)


def test_timesteps_and_noise_follow_bias_and_offset():
    for bias, middle in (("none", 500), ("detail", 250), ("layout", 750)):
        drawn = draw_timesteps(QUICK.changed(timestep_bias=bias), 1000, 4000, (1,))
        assert int(drawn.min()) >= 0 and int(drawn.max()) <= 999 and abs(float(drawn.float().mean()) - middle) < 25
    still = torch.zeros(64, 4, 8, 8)
    offset = draw_noise(QUICK.changed(noise_offset=0.5), still, (1,)).mean((2, 3)).std()
    assert float(offset) > 0.4 > 0.2 > float(draw_noise(QUICK, still, (1,)).mean((2, 3)).std())
    assert torch.equal(draw_noise(QUICK, still, (1,)), draw_noise(QUICK, still, (1,)))


@pytest.mark.parametrize("bias", ["none", "detail", "layout"])
@pytest.mark.parametrize("share, above", [(0.1, 0.5), (0.25, 0.5), (0.5, 0.2), (0.3, 0.0)])
def test_picks_have_high_levels_and_all_rows_together_the_usual_ones(bias, share, above):
    options = QUICK.changed(timestep_bias=bias, picks_above=above)
    picked = torch.rand(40_000, generator=torch.Generator().manual_seed(1)) < share
    drawn = draw_timesteps(options, 1000, 40_000, (1,), picked, share)
    assert int(drawn[picked].min()) >= 1000 * above - 1 and int(drawn.max()) <= 999
    usual = draw_timesteps(options, 1000, 40_000, (2,))
    if bias != "detail" or share < 1 - above ** (1 / 3):  # else there are more picks than high levels are drawn
        assert torch.allclose(*(torch.histc(d.float(), 10, 0, 1000) / 40_000 for d in (drawn, usual)), atol=0.012)
    assert torch.equal(usual, draw_timesteps(options, 1000, 40_000, (2,), torch.zeros(40_000, dtype=torch.bool), 0.0))


def test_batches_are_the_same_for_a_step_and_drop_captions_at_the_rate_of_the_option():
    backend = fresh_backend("sd15")
    items = [*items_of([picture(1, 64, 64)], ["a red cat"]), *items_of([picture(2, 40, 80)], ["a blue house"])]
    latent_cache = LatentCache(items, backend, QUICK.changed(batch=4, caption_dropout=0.5))
    texts = {id(latent_cache.text(n, e)): (n, e) for n in (0, 1) for e in (False, True)}
    assert len(texts) == 4
    empty = total = 0
    for step in range(50):
        batch = latent_cache.draw(step)
        again = latent_cache.draw(step)
        assert torch.equal(batch.latents, again.latents) and torch.equal(batch.text.tokens, again.text.tokens)
        nothing = latent_cache.text(0, True).tokens[0]
        empty += sum(torch.equal(row, nothing) for row in batch.text.tokens)
        total += 4
    assert 0.35 < empty / total < 0.65


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


def test_signals_see_copies_and_collapse():
    a, b = picture(1, 64, 64), picture(2, 64, 64)
    assert copying(a, [a]) == pytest.approx(1, abs=1e-4) == copying(a.flip(-1), [a]) and copying(b, [a]) < 0.5
    assert copying(a, [a], baseline=a) == 0.0 and copying(a, [a], baseline=b) > 0.9
    assert abs(diversity([a, a])) < 1e-5 and diversity([a, b]) > 0.1
    base = {"step": 0, "validation": 1.0, "norm": 0.0, "copying": [], "diversity": 0.8}
    evaluation = base | {"step": 100, "copying": [0.1, 0.9]}
    assert advice([]) == "" and "copied in 1 of 2 samples" in advice([base, evaluation])
    alike = evaluation | {"copying": [0.1], "diversity": 0.1}
    assert "grow alike" in advice([base, evaluation | {"copying": [0.0]}, alike | {"step": 200}])


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
