"""Putting the house in order changed no byte: pictures, latents, LoRAs, captions and stripped captions are those of the
commit before. Goes with the first commit that changes a value on purpose."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

ROOT = Path(__file__).resolve().parents[2]
BEFORE = "d52316c"


def produce(root: Path, out: Path) -> Path:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, Path(__file__).with_name("produce.py"), root, out]
    subprocess.run(command, cwd=root, env=environment, check=True)
    return out


@pytest.fixture(scope="module")
def before(tmp_path_factory) -> Path:
    """What the commit before makes; SWF_EQUALITY_BEFORE names a folder that holds it already."""
    if "SWF_EQUALITY_BEFORE" in os.environ:
        return Path(os.environ["SWF_EQUALITY_BEFORE"])
    tree = tmp_path_factory.mktemp("tree") / "before"
    subprocess.run(["git", "worktree", "add", "--detach", tree, BEFORE], cwd=ROOT, check=True)
    try:
        return produce(tree, tmp_path_factory.mktemp("made") / "before")
    finally:
        subprocess.run(["git", "worktree", "remove", "--force", tree], cwd=ROOT, check=True)


@pytest.mark.slow
def test_nothing_changed_by_a_byte(before, tmp_path):
    after = produce(ROOT, tmp_path / "after")
    old, new = (load_file(folder / "tensors.safetensors") for folder in (before, after))
    assert old.keys() == new.keys()
    assert [name for name in old if not torch.equal(old[name], new[name])] == []
    old_texts, new_texts = (json.loads((f / "texts.json").read_text(encoding="utf-8")) for f in (before, after))
    assert old_texts.keys() == new_texts.keys()
    assert {n: (v, new_texts[n]) for n, v in old_texts.items() if v != new_texts[n]} == {}
