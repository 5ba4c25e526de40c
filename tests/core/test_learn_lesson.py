"""A lesson inside a transfer: learnt once, kept for the next picture, stopped and gone on, begun from another."""

from __future__ import annotations

import pytest
import torch

from swf_core.errors import UserError
from swf_core.learn.dataset import items_of
from swf_core.learn.lesson import learn_style, lesson_folder, lesson_options
from swf_core.learn.run import open_run
from swf_core.learn.warm_start import begin_from, nearest_lesson, style_statistics
from swf_core.models.contracts import Conditioning

from support.learn_runs import QUICK, weights
from support.tiny_models import fresh_backend, picture

OPTIONS = QUICK.changed(steps=20, sample_every=0, save_every=5)


def style(seed: int):
    return items_of([picture(seed, 64, 64)], ["a red cat"])


def answer(backend) -> torch.Tensor:
    """What the network with its LoRA says of one noisy latent."""
    generator = torch.Generator().manual_seed(5)
    x = torch.randn(1, backend.codec.channels, 8, 8, generator=generator)
    cond: Conditioning = backend.text.encode(["a red cat"], 64, 64)
    with torch.no_grad():
        return backend.denoiser.denoise(x, 2.0, cond)


def test_a_lesson_is_learnt_once_and_kept_for_the_next_picture(tmp_path):
    backend, announced = fresh_backend("sd15"), []
    plain = answer(backend)
    first = learn_style(backend, style(1), OPTIONS, tmp_path, announce=announced.append)
    learnt = answer(backend)
    assert not first.kept and first.seconds > 0 and len(announced) == 1 and announced[0] > 0
    first.adapter.remove()
    assert torch.equal(answer(backend), plain) and not torch.equal(learnt, plain)
    again = learn_style(backend, style(1), OPTIONS, tmp_path, announce=announced.append)
    assert again.kept and len(announced) == 1 and again.folder == first.folder
    assert torch.equal(answer(backend), learnt)


def test_what_decides_a_lesson_decides_its_name(tmp_path):
    backend = fresh_backend("sd15")
    names = {
        lesson_folder(tmp_path, backend, items, options)
        for items in (style(1), style(2), items_of([picture(1, 64, 64)], ["a blue cat"]))
        for options in (OPTIONS, OPTIONS.changed(seed=1), OPTIONS.changed(steps=30))
    }
    assert len(names) == 9
    assert lesson_folder(tmp_path, backend, style(1), OPTIONS) in names


def test_a_lesson_that_was_stopped_goes_on_to_the_very_same_lora(tmp_path):
    whole = learn_style(fresh_backend("sd15"), style(1), OPTIONS, tmp_path / "whole").folder
    backend, steps = fresh_backend("sd15"), []

    def stop_at_eleven() -> None:
        if steps and steps[-1] == 11:
            raise KeyboardInterrupt

    def report(step: int, *_) -> None:
        steps.append(step)

    with pytest.raises(KeyboardInterrupt):
        learn_style(backend, style(1), OPTIONS, tmp_path / "parts", report=report, check=stop_at_eleven)
    resumed = fresh_backend("sd15")
    steps.clear()
    lesson = learn_style(resumed, style(1), OPTIONS, tmp_path / "parts", report=report)
    assert min(step for step in steps if step) >= 11
    expected, got = weights(whole), weights(lesson.folder)
    assert expected.keys() == got.keys() and all(torch.equal(expected[name], got[name]) for name in expected)


def test_a_warm_lesson_begins_from_the_nearest_earlier_one(tmp_path):
    backend = fresh_backend("sd15")
    for seed in (1, 2):
        learn_style(backend, style(seed), OPTIONS, tmp_path).adapter.remove()
    other = OPTIONS.changed(rank=4)
    learn_style(backend, style(3), other, tmp_path).adapter.remove()
    near = items_of([(picture(2, 64, 64) * 0.98).clamp(0, 1)], ["a red cat"])
    nearest = nearest_lesson(tmp_path, backend, near, OPTIONS)
    assert nearest is not None and nearest.folder == lesson_folder(tmp_path, backend, style(2), OPTIONS)
    assert float((style_statistics(backend, near) - style_statistics(backend, style(1))).norm()) > 0

    warm = learn_style(backend, near, OPTIONS, tmp_path, warm=True)
    warm.adapter.remove()
    assert warm.began_from == nearest.folder.name
    cold = learn_style(backend, near, OPTIONS, tmp_path / "cold", warm=True)  # an empty bank
    assert cold.began_from == "" and any(
        not torch.equal(a, b) for a, b in zip(weights(warm.folder).values(), weights(cold.folder).values())
    )
    assert nearest_lesson(tmp_path, backend, near, OPTIONS.changed(rank=8)) is None


def test_a_run_begun_from_another_has_its_weights_and_no_step(tmp_path):
    from swf_core.learn.checkpoint import NAME, read_checkpoint
    from swf_core.learn.run import create_run

    backend = fresh_backend("sd15")
    learnt = learn_style(backend, style(1), OPTIONS, tmp_path)
    learnt.adapter.remove()
    run = create_run(tmp_path / "new", backend, OPTIONS, style(2), ())
    begin_from(run, backend, open_run(learnt.folder), tmp_path / "note")
    old, new = read_checkpoint(learnt.folder / NAME), read_checkpoint(run.folder / NAME)
    assert new.step == 0 and not any(name.startswith("first.") for name in new.tensors)
    assert all(torch.equal(new.tensors[name], old.tensors[name]) for name in new.tensors)
    assert (tmp_path / "note").read_text().strip() == learnt.folder.name


@pytest.mark.parametrize("steps", [0, 19, 2001])
def test_a_lesson_has_20_to_2000_steps(steps):
    with pytest.raises(UserError, match=r"A lesson of .* steps was asked for; it has 20 to 2000\."):
        lesson_options("mini", steps)
    assert lesson_options("mini", 60).sample_every == 0
