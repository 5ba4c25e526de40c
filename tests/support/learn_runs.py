"""A tiny run of training for tests: its options, how it is created, and its weights."""

from __future__ import annotations

import torch

from swf_core.learn.dataset import items_of
from swf_core.learn.options import TrainOptions
from swf_core.learn.run import Prompt, create_run
from swf_core.models.lora_file import read

from support.tiny_models import fresh_backend, picture

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
