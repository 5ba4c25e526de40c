"""Style pictures kept on disk between commands: what they cost then, what they are kept by, and the folder's limit."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from swf_core.transfer import SharedStyles, TransferOptions, preset
from swf_core.transfer.reference_cache import ReferenceCache

from support.cli import swf
from support.tiny_models import picture, tiny_backend

STEPS = 4
CONTENT, STYLE = picture(2), picture(1)


def own(**more) -> TransferOptions:
    return replace(preset("wallfacer", tiny_backend("sd15")), steps=STEPS, size_px=0, **more)


def paint(cache: ReferenceCache | None, backend=None, options: TransferOptions | None = None, style=STYLE):
    """By a process of its own, as it were: nothing is shared but the folder."""
    return SharedStyles(backend or tiny_backend("sd15"), [style], options or own(), cache=cache).stylize([CONTENT])


@pytest.mark.parametrize("more", [{}, {"precision": "fp16"}, {"features": "alternate"}, {"features": "lockstep"}])
def test_a_kept_style_costs_one_evaluation_and_changes_no_byte(tmp_path: Path, more: dict) -> None:
    cache, options = ReferenceCache(tmp_path), own(**more)
    plain = paint(None, options=options)
    first, second = (paint(cache, options=options) for _ in range(2))
    assert torch.equal(plain.images[0], first.images[0]) and torch.equal(first.images[0], second.images[0])
    assert first.cost.counted == first.cost.planned == plain.cost.counted + 1
    assert second.cost.counted == second.cost.planned == first.cost.counted - STEPS
    assert len(cache.files()) == 1


def test_it_is_kept_by_weights_picture_and_options(tmp_path: Path) -> None:
    cache = ReferenceCache(tmp_path)
    paint(cache)
    other = tiny_backend("sd15")
    with torch.no_grad():
        next(p for n, p in other.denoiser.network.named_parameters() if "attn1" in n).add_(0.05)
    paint(cache, backend=other)
    paint(cache, style=picture(7))
    paint(cache, options=own(refinements=1))
    paint(cache, options=own().changed(layers="all"))
    assert len(cache.files()) == 5
    paint(cache, options=own(adain=0.2, cfg=2.0))  # nothing of the style's own process
    assert len(cache.files()) == 5


def test_what_was_used_longest_ago_goes_first(tmp_path: Path) -> None:
    cache = ReferenceCache(tmp_path)
    paint(cache)
    (first,) = cache.files()
    size = first.stat().st_size
    os.utime(first, (1, 1))
    paint(cache, style=picture(7))
    second = next(path for path in cache.files() if path != first)
    os.utime(second, (2, 2))
    paint(cache)  # used now
    small = ReferenceCache(tmp_path, limit_bytes=int(2.5 * size))
    paint(small, style=picture(8))
    assert first in small.files() and second not in small.files() and len(small.files()) == 2


def test_a_damaged_file_is_made_anew(tmp_path: Path) -> None:
    cache = ReferenceCache(tmp_path)
    whole = paint(cache)
    (file,) = cache.files()
    file.write_bytes(file.read_bytes()[:100])
    again = paint(cache)
    assert again.cost.counted == whole.cost.counted and torch.equal(again.images[0], whole.images[0])
    assert paint(cache).cost.counted == whole.cost.counted - STEPS


def test_the_verb_shows_and_clears_it_and_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "styles"
    paint(ReferenceCache(folder))
    (folder / "mine.safetensors").write_bytes(b"mine")
    shown = swf("cache", folder, "--json")
    assert shown.returncode == 0 and '"pictures": 1' in shown.stdout and '"cleared": false' in shown.stdout
    assert swf("cache", folder, "--clear").returncode == 0
    assert [path.name for path in folder.iterdir()] == ["mine.safetensors"]
    missing = swf("cache", tmp_path / "none")
    assert missing.returncode == 2 and "does not exist" in missing.stderr
