"""Stages "vision", "blip" and "clip", the first two twice: captioner and CLIP, trained on the world with all painters.

"vision" trains BLIP's vision tower to classify pictures (style, object, color, ground, time), as large captioners begin
with a tower that has learned to classify; the questions' heads are thrown away. CLIP (Radford et
al., arXiv 2103.00020) begins with the tower that captioning has trained; its loss is the symmetric cross-entropy of a
batch's cosines. Captions without style words belong to photographs alone, as on the web: what a caption does not say is
then read as "a photo".

The captioner's second round goes on with its tower, on more pictures, half of them crisp, and weighs the style more:
the first one mistook the medium of one picture in thirteen, and a transfer by words that are read is no better than
they are. The decoder begins anew after it; the CLIP stays, for its ranking costs the better captions nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ..models.mini.blip_and_clip import BEGIN, PAD, clip_vision_from_blip, encode, new_blip, new_clip, pixels
from ..models.precision import mixed_precision
from ..world import COLORS, GROUNDS, OBJECTS, STYLES, TIMES, Look, Scene, caption
from .training_loop import Plan, Progress, StageSettings, train
from .word_pictures import WordPictures

PLANS = {
    "vision": Plan(steps=2000, learning_rate=1.5e-3, warm_up=50, floor=0.02, save_every=100),
    "blip": Plan(steps=2000, learning_rate=1.5e-3, warm_up=60, floor=0.01, save_every=200, ema=0.995),
    "clip": Plan(steps=1400, learning_rate=6e-4, warm_up=50, floor=0.02, save_every=100, ema=0.99),
    "vision-2": Plan(steps=2200, learning_rate=8e-4, warm_up=50, floor=0.01, save_every=100, ema=0.995),
    "blip-2": Plan(steps=2000, learning_rate=1.5e-3, warm_up=60, floor=0.01, save_every=200, ema=0.995),
}
BATCH = {"vision": 64, "blip": 128, "clip": 96}
# Of a round: its sets of pictures, the share of crisp ones, and what the question for the style weighs.
WORD_SETS = {1: ("words",), 2: ("words", "words_further")}
CRISP = {1: 0.0, 2: 0.5}
STYLE_WEIGHT = {1: 1.0, 2: 2.0}
QUESTIONS = {
    "style": STYLES,
    "object": OBJECTS,
    "color": COLORS,
    "ground": GROUNDS,
    "time": TIMES,
    "second": ("", *OBJECTS),
}


def round_of(stage: str) -> tuple[str, int]:
    """What a stage trains and in which round: "vision-2" is ("vision", 2)."""
    kind, _, number = stage.partition("-")
    return kind, int(number or 1)


def train_vision(
    pictures: WordPictures, stage: str, settings: StageSettings, start: Mapping[str, Tensor] | None = None
) -> tuple[Any, dict[str, Any]]:
    """Train a captioner's vision tower to answer `QUESTIONS`; `start`: a captioner's tensors, whose tower goes on."""
    seed, weight = settings.seed, STYLE_WEIGHT[round_of(stage)[1]]
    torch.manual_seed(seed)
    model = new_blip()
    if start is not None:
        _copy_tower(model, start)
    tower = model.vision_model.to(memory_format=torch.channels_last).train()
    width = model.config.vision_config.hidden_size
    heads = torch.nn.ModuleDict({q: torch.nn.Linear(width, len(answers)) for q, answers in QUESTIONS.items()})
    labels = {q: torch.zeros(len(pictures), dtype=torch.long) for q in QUESTIONS}
    for i in range(len(pictures)):
        for question, answer in answers_of(*pictures.factors(i)).items():
            labels[question][i] = QUESTIONS[question].index(answer)

    def loss_of(step: int) -> Tensor:
        rng = np.random.default_rng([seed, step])
        index = np.sort(rng.choice(len(pictures), min(BATCH["vision"], len(pictures)), replace=False))
        with mixed_precision():
            features = tower(pixel_values=pictures.batch(index, rng)).last_hidden_state.mean(1)
            losses = {q: F.cross_entropy(head(features).float(), labels[q][index]) for q, head in heads.items()}
        return torch.stack([weight * loss if q == "style" else loss for q, loss in losses.items()]).sum()

    report = train({"tower": tower, "heads": heads}, loss_of, PLANS[stage], settings)
    estimate_batch_statistics(tower, pictures, seed)
    return model.eval(), report


def _copy_tower(model: Any, tensors: Mapping[str, Tensor]) -> None:
    model.load_state_dict({k: v for k, v in tensors.items() if k.startswith("vision_model.")}, strict=False)


def answers_of(scene: Scene, look: Look) -> dict[str, str]:
    """The right answers about a picture of this scene by this hand."""
    second = scene.second.kind if scene.second else ""
    return {
        "style": look.style,
        "object": scene.main.kind,
        "color": scene.main.color,
        "ground": scene.ground,
        "time": scene.time,
        "second": second,
    }


@torch.no_grad()
def estimate_batch_statistics(tower: torch.nn.Module, pictures: WordPictures, seed: int) -> None:
    """Estimate batch normalisation's statistics anew with the final weights, on pictures such as it was trained on."""
    tower.train()
    for norm in (m for m in tower.modules() if isinstance(m, torch.nn.BatchNorm2d)):
        norm.reset_running_stats()
        norm.momentum = None  # a plain average
    rng = np.random.default_rng([seed, 909])
    for _ in range(24):
        index = np.sort(rng.choice(len(pictures), min(64, len(pictures)), replace=False))
        tower(pixel_values=pictures.batch(index, rng))
    tower.eval()


def train_captioner(
    pictures: WordPictures, stage: str, tokenizer: Any, vision: Mapping[str, Tensor], settings: StageSettings
) -> tuple[Any, dict[str, Any]]:
    """Train a captioner's decoder on full captions of the same pictures.

    `vision`: tensors of the stage before, with a trained vision tower. The tower stays as it is (trained along, it
    forgets the finer styles before the decoder has learned to name them), so its features are computed once.
    """
    seed = settings.seed
    torch.manual_seed(seed)
    model = new_blip()
    _copy_tower(model, vision)
    model.vision_model.eval().requires_grad_(False)
    features = vision_features(model.vision_model, pictures, settings.progress)
    decoder = model.text_decoder.train()

    def loss_of(step: int) -> Tensor:
        rng = np.random.default_rng([seed, step])
        index = rng.choice(len(pictures), min(BATCH["blip"], len(pictures)), replace=False)
        ids = encode(tokenizer, [caption(*pictures.factors(i), rng=rng) for i in index], BEGIN)
        with mixed_precision():
            out = decoder(
                input_ids=ids,
                attention_mask=(ids != PAD).long(),
                encoder_hidden_states=features[index].float(),
                labels=ids.masked_fill(ids == PAD, -100),
                reduction="mean",
            )
        return out.loss.float()

    report = train({"decoder": decoder}, loss_of, PLANS[stage], settings)
    return model.eval(), report


@torch.no_grad()
def vision_features(tower: torch.nn.Module, pictures: WordPictures, progress: Progress | None = None) -> Tensor:
    """A vision tower's output for uint8 pictures: tokens [N, 65, width] in half precision."""
    batches = []
    for start in range(0, len(pictures), 64):
        batch = pictures.plain(np.arange(start, min(start + 64, len(pictures))))
        batches.append(tower(pixel_values=pixels(batch)).last_hidden_state.half())
        if progress:
            progress(0.0, f"features {start + len(batch)} of {len(pictures)}")
    return torch.cat(batches)


def train_clip(
    pictures: WordPictures, tokenizer: Any, blip: Mapping[str, Tensor], settings: StageSettings
) -> tuple[Any, dict[str, Any]]:
    """Train an image-text model on the same pictures. `blip`: the trained captioner's tensors, to start from."""
    seed = settings.seed
    torch.manual_seed(seed)
    model = new_clip()
    model.load_state_dict(clip_vision_from_blip(blip, list(model.state_dict())), strict=False)
    model.to(memory_format=torch.channels_last).train()  # pyright: ignore[reportCallIssue]

    def loss_of(step: int) -> Tensor:
        rng = np.random.default_rng([seed, step])
        index = np.sort(rng.choice(len(pictures), min(BATCH["clip"], len(pictures)), replace=False))
        ids = encode(tokenizer, [clip_caption(*pictures.factors(i), rng) for i in index])
        with mixed_precision():
            out = model(pixel_values=pictures.batch(index, rng), input_ids=ids, attention_mask=(ids != PAD).long())
        return contrastive(out.logits_per_image.float())

    report = train({"clip": model}, loss_of, PLANS["clip"], settings)
    estimate_batch_statistics(model.vision_model, pictures, seed)
    return model.eval(), report


def clip_caption(scene: Scene, look: Look, rng: np.random.Generator) -> str:
    """A caption of a picture: of a photo without style words half of the time, now and then the style alone."""
    kinds = ("full", "stripped") if look.style == "photo" else ("full", "style")
    kind = kinds[int(rng.random() < (0.5 if look.style == "photo" else 0.05))]
    return caption(scene, look, kind, rng)


def contrastive(logits: Tensor) -> Tensor:
    """CLIP's loss of a square of scaled cosines [B, B], pictures down, captions across."""
    target = torch.arange(len(logits))
    return (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2
