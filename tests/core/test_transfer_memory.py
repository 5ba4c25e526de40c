"""Features that fit into memory: what is kept of them, what stands for the rest, and what it costs."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from swf_core.transfer import SharedStyles, TransferOptions, preset, stylize
from swf_core.transfer.features import FeatureBank
from swf_core.transfer.keeping import LIMIT_BYTES, WHOLE_BYTES, choose_keeping, level_bytes, stand_ins

from support.tiny_models import picture, tiny_backend

STEPS = 4


def options(**more) -> TransferOptions:
    return replace(preset("wallfacer", tiny_backend("sd15")), steps=STEPS, size_px=0, **more)


@pytest.mark.parametrize(
    ("features", "precision", "levels", "level_mb", "itemsize", "expected"),
    [
        ("capture", "fp32", 30, 1, 4, (1, "fp32", True)),  # mini
        ("capture", "fp32", 30, 44, 4, (2, "fp16", True)),  # SD1.5 at 512 pixels, a style
        ("capture", "fp32", 30, 58, 2, (2, "fp32", True)),  # SDXL at 1024 pixels in half precision, a style
        ("capture", "fp32", 30, 100, 2, (4, "fp32", True)),
        ("capture", "fp32", 15, 44, 4, (2, "fp16", True)),
        ("capture", "fp32", 14, 44, 4, (1, "fp16", True)),  # few levels lie far from each other
        ("capture", "fp32", 14, 44, 2, (1, "fp32", True)),
        ("capture", "fp32", 14, 100, 2, (2, "fp32", True)),
        ("capture", "fp32", 30, 600, 2, (1, "fp32", False)),
        ("capture", "fp16", 30, 8, 4, (1, "fp16", True)),
        ("alternate", "fp32", 30, 1, 4, (2, "fp32", True)),
        ("lockstep", "fp32", 30, 600, 4, (1, "fp32", False)),
    ],
)
def test_the_finest_way_that_fits_is_taken(features, precision, levels, level_mb, itemsize, expected) -> None:
    keeping = choose_keeping(
        features, precision, levels=levels, level_bytes=level_mb << 20, itemsize=itemsize, limit_bytes=LIMIT_BYTES
    )
    assert (keeping.every, keeping.precision, keeping.captured) == expected
    if keeping.captured:
        size = (level_mb << 20) * -(-levels // keeping.every)
        halved = keeping.precision == "fp16" and itemsize == 4
        assert (size // 2 if halved else size) <= LIMIT_BYTES
        assert keeping.thinned == (features == "capture" and (keeping.every > 1 or halved and precision == "fp32"))


def test_processes_share_one_limit() -> None:
    alone = choose_keeping("capture", "fp32", levels=30, level_bytes=WHOLE_BYTES // 30, itemsize=4)
    beside = choose_keeping("capture", "fp32", levels=30, level_bytes=WHOLE_BYTES // 30, itemsize=4, shared_by=2)
    assert (alone.every, beside.every) == (1, 2)


def test_the_middle_of_neighbors_stands_for_them() -> None:
    assert stand_ins([5.0, 4.0, 3.0, 2.0, 1.0], 2) == {5.0: 4.0, 4.0: 4.0, 3.0: 2.0, 2.0: 2.0, 1.0: 1.0}
    assert stand_ins([1.0, 2.0, 3.0, 4.0], 4) == dict.fromkeys((1.0, 2.0, 3.0, 4.0), 2.0)
    assert stand_ins([2.0, 1.0], 1) == {2.0: 2.0, 1.0: 1.0}


def test_a_level_goes_when_no_lower_one_reads_it() -> None:
    (layer, *_) = tiny_backend("sd15").denoiser.self_attention_layers
    bank, rows = FeatureBank([layer.name], "k", stand_ins=stand_ins([3.0, 2.0, 1.0], 2)), torch.rand(1, 2, 4, 8)
    for sigma in (2.0, 1.0):
        bank.recorder(sigma).function(layer, rows, rows, rows, (2, 2), 1.0)
    whole = bank.size_bytes()
    bank.passed(3.0)
    assert bank.has(2.0) and bank.size_bytes() == whole
    bank.passed(2.0)
    assert not bank.has(3.0) and bank.size_bytes() == whole // 2


@pytest.mark.parametrize("family", ["sd15", "sdxl"])
def test_the_estimate_is_what_the_bank_holds(family: str) -> None:
    backend = tiny_backend(family)
    layers = backend.denoiser.self_attention_layers
    bank, x = FeatureBank([layer.name for layer in layers], "kv"), torch.rand(2, backend.codec.channels, 9, 6)
    cond = backend.text.encode([""], 72, 48).repeat(2)
    backend.denoiser.denoise(x, 1.0, cond, bank.recorder(1.0))
    assert level_bytes(layers, (9, 6), 2, "kv", 4) == bank.size_bytes() > 0


def test_every_second_level_costs_no_evaluation_more_and_changes_little() -> None:
    backend, content, style = tiny_backend("sd15"), picture(2), picture(1)
    whole, second = (
        stylize(backend, [content], [style], options(features=features)) for features in ("capture", "alternate")
    )
    assert second.cost.counted == second.cost.planned == whole.cost.counted - 2 == 3 * STEPS
    assert 0.0 < float((second.images[0] - whole.images[0]).abs().mean()) < 0.02


@pytest.mark.parametrize(("share", "said"), [(0.5, "each is kept, in half"), (0.25, "every second is kept, in half")])
def test_a_cap_still_gives_a_picture_and_says_what_it_did(share: float, said: str) -> None:
    backend, content, style = tiny_backend("sd15"), picture(2), picture(1)
    layers, own = backend.denoiser.self_attention_layers, options().changed(layers="all")
    level = level_bytes(layers, (content.shape[1] // 8, content.shape[2] // 8), 1, "kv", 4)
    result = stylize(backend, [content], [style], replace(own, feature_mb=level * STEPS * share / 2**20))
    assert len(result.notes) == (1 if share == 0.5 else 2)
    assert "Features of style" in result.notes[0] and said in result.notes[0]
    assert result.images[0].isfinite().all() and result.cost.counted == result.cost.planned
    whole = stylize(backend, [content], [style], own)
    assert whole.notes == () and not torch.equal(result.images[0], whole.images[0])


def test_with_no_memory_at_all_every_level_is_evaluated_when_it_is_read() -> None:
    backend, content, style = tiny_backend("sd15"), picture(2), picture(1)
    shared = SharedStyles(backend, [style], options(feature_mb=0.0))
    for inverted in (2 * STEPS, STEPS):  # the style's trajectory stays, its features do not
        result = shared.stylize([content])
        assert result.cost.counted == result.cost.planned == inverted + 3 * STEPS
        assert sum("evaluated again" in note for note in result.notes) == (2 if inverted == 2 * STEPS else 1)
    exact = stylize(backend, [content], [style], options())
    assert torch.allclose(result.images[0], exact.images[0], atol=1e-4)


def test_a_bank_takes_its_memory_at_once_and_more_where_that_was_too_little() -> None:
    layers = tiny_backend("sd15").denoiser.self_attention_layers[:2]
    rows = torch.rand(1, 2, 8, 8)
    bank = FeatureBank([layer.name for layer in layers], "kv", room=3, size_bytes=3 * 4 * rows.nbytes)
    for sigma in (3.0, 2.0, 1.0, 0.5):
        for layer in layers:
            bank.recorder(sigma).function(layer, rows, rows + sigma, rows - sigma, (2, 4), 1.0)
    planned = {
        bank.get(s, layer.name, p).untyped_storage().data_ptr() for s in (3.0, 1.0) for layer in layers for p in "kv"
    }
    beyond = bank.get(0.5, layers[0].name, "k").untyped_storage().data_ptr()
    assert len(planned) == 1 and beyond not in planned
    assert all(torch.equal(bank.get(s, layers[1].name, "v"), rows - s) for s in (3.0, 2.0, 1.0, 0.5))
    assert bank.size_bytes() == 4 * 4 * rows.nbytes
    bank.clear()
    assert bank.size_bytes() == 0 and not bank.has(3.0)


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the high-water mark of memory is Linux's")
@pytest.mark.parametrize(("shape", "dtype", "most_mb"), [("SD1.5", "float32", 700), ("SDXL", "float16", 1900)])
def test_real_sizes_at_30_steps_stay_within_their_memory(shape: str, dtype: str, most_mb: int) -> None:
    """On a network of which there is nothing but its features; all levels would take 2.1 and 2.8 GB."""
    tests = Path(__file__).parents[1]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, (tests.parent, tests)))}
    command = [sys.executable, "-m", "support.feature_networks", shape, dtype, "30"]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)
    assert run.returncode == 0, run.stderr
    assert 300e6 < int(run.stdout) <= most_mb * 1e6
