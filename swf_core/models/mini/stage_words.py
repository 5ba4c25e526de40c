"""Stages "blip" and "clip": a captioner and an image-text model, trained on the world with all its painters.

CLIP (Radford et al., arXiv 2103.00020) begins with the vision tower that captioning has trained; its loss is the
symmetric cross-entropy of a batch's cosines. Captions without style words belong to photographs alone, as on the web:
what a caption does not say is then read as "a photo".
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ...measure.judge_train import augment
from ...world import caption
from .data import words_picture
from .loop import Plan, Progress, mixed_precision, train
from .words import BEGIN, PAD, clip_vision_from_blip, encode, new_blip, new_clip, pixels

PLANS = {
    "blip": Plan(steps=1600, learning_rate=1.2e-3, warm_up=150, floor=0.01, save_every=100, ema=0.998),
    "clip": Plan(steps=700, learning_rate=8e-4, warm_up=60, floor=0.01, save_every=100, ema=0.995),
}
BATCH = {"blip": 64, "clip": 96}


def run_blip(
    pictures: np.ndarray, tokenizer: Any, folder: Path, seed: int, progress: Progress | None = None,
    seconds: float | None = None,
) -> tuple[Any, dict[str, Any]]:  # fmt: skip
    """Train a captioner on full captions of uint8 pictures [N, 128, 128, 3] of the set "words"."""
    torch.manual_seed(seed)
    model = new_blip().train()

    def loss_of(step: int) -> Tensor:
        rng = np.random.default_rng([seed, step])
        index = np.sort(rng.choice(len(pictures), min(BATCH["blip"], len(pictures)), replace=False))
        ids = encode(tokenizer, [caption(*words_picture(int(i)), rng=rng) for i in index], BEGIN)
        with mixed_precision():
            out = model(
                pixel_values=_batch(pictures, index, rng), input_ids=ids, attention_mask=(ids != PAD).long(),
                labels=ids.masked_fill(ids == PAD, -100),
            )  # fmt: skip
        return out.loss.float()

    return model.eval(), train({"blip": model}, loss_of, PLANS["blip"], folder, progress, seconds)


def run_clip(
    pictures: np.ndarray, tokenizer: Any, blip: dict[str, Tensor], folder: Path, seed: int,
    progress: Progress | None = None, seconds: float | None = None,
) -> tuple[Any, dict[str, Any]]:  # fmt: skip
    """Train an image-text model on the same pictures. `blip`: the trained captioner's tensors, to start from."""
    torch.manual_seed(seed)
    model = new_clip()
    model.load_state_dict(clip_vision_from_blip(blip, list(model.state_dict())), strict=False)
    model.train()

    def loss_of(step: int) -> Tensor:
        rng = np.random.default_rng([seed, step])
        index = np.sort(rng.choice(len(pictures), min(BATCH["clip"], len(pictures)), replace=False))
        ids = encode(tokenizer, [clip_caption(int(i), rng) for i in index])
        with mixed_precision():
            out = model(
                pixel_values=_batch(pictures, index, rng), input_ids=ids, attention_mask=(ids != PAD).long()
            )
        return contrastive(out.logits_per_image.float())

    return model.eval(), train({"clip": model}, loss_of, PLANS["clip"], folder, progress, seconds)


def clip_caption(index: int, rng: np.random.Generator) -> str:
    """A caption of a picture: of a photo without style words half of the time, now and then the style alone."""
    scene, look = words_picture(index)
    kinds = ("full", "stripped") if look.style == "photo" else ("full", "style")
    kind = kinds[int(rng.random() < (0.5 if look.style == "photo" else 0.05))]
    return caption(scene, look, kind, rng)


def contrastive(logits: Tensor) -> Tensor:
    """CLIP's loss of a square of scaled cosines [B, B], pictures down, captions across."""
    target = torch.arange(len(logits))
    return (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2


def _batch(pictures: np.ndarray, index: np.ndarray, rng: np.random.Generator) -> Tensor:
    batch = torch.from_numpy(pictures[index]).permute(0, 3, 1, 2).float() / 255
    with torch.autocast("cpu", enabled=False):  # half precision is for the network alone
        return pixels(augment(batch, rng, hue=False)).contiguous()
