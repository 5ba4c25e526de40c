"""Finished runs for the gallery's page, made without training."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

from swf_core.files import write_files
from swf_core.learn.dataset import picture_id
from swf_core.pictures import png_bytes


def make_run(
    folder: Path, rows: int = 3, steps: int = 2, px: int = 64, plain: bool = False, seed: int = 1
) -> list[str]:
    """A run of `rows` prompts sampled at `steps` steps, random pictures; with `plain` the plain model's samples before
    them, and signals. Returns the ids of the samples that can be picked."""
    rng = np.random.default_rng(seed)
    prompts = [f"a thing of kind {k}" for k in range(rows)]
    files, records, signals = {}, [], []
    for step in range(0 if plain else 1, steps + 1):
        for k, prompt in enumerate(prompts):
            small = torch.from_numpy(rng.random((3, 16, 16), dtype=np.float32))
            picture = torch.nn.functional.interpolate(small[None], (px, px), mode="bilinear")[0]
            file = f"step_{step:06d}_{k:02d}.png"
            files[folder / "samples" / file] = png_bytes(picture)
            records.append(
                {"id": picture_id(picture), "file": file, "step": step, "prompt": prompt, "seed": k, "lora": step > 0}
            )
        signals.append(_signals(step, rows))
    original = torch.rand(3, 64, 64, generator=torch.Generator().manual_seed(seed))
    files[folder / "data" / f"{picture_id(original)}.png"] = png_bytes(original)
    run = {
        "format": 1,
        "model": {"name": "mini", "family": "mini", "digest": ""},
        "options": {},
        "chosen": None,
        "data": [{"id": picture_id(original), "caption": "a thing", "weight": 1, "repeats": 1, "origin": "original"}],
        "prompts": [{"prompt": p, "seed": k} for k, p in enumerate(prompts)],
        "rounds": [{"first": 0, "steps": steps, "options": {}, "picks": [], "captions": {}}],
    }
    files[folder / "samples.json"] = json.dumps(records).encode()
    if plain:
        files[folder / "signals.json"] = json.dumps(signals).encode()
    files[folder / "run.json"] = json.dumps(run).encode()
    write_files(files)
    return [r["id"] for r in records if r["lora"]]


def _signals(step: int, rows: int) -> dict[str, Any]:
    """Row 0 comes nearer to the style, row 1 goes away from it and from its prompt, row 2 copies the layout."""
    toward = [0.1, -0.1, 0.0]
    prompt = [0.3, 0.05, 0.3]
    copied = [0.0, 0.4, 0.8]
    return {
        "step": step,
        "validation": 0.1,
        "norm": 0.1 * step,
        "diversity": 0.9,
        "style": [-0.3 + bool(step) * toward[k % 3] for k in range(rows)],
        "prompt": [prompt[k % 3] if step else 0.3 for k in range(rows)],
        "copying": [copied[k % 3] if step else 0.0 for k in range(rows)],
    }
