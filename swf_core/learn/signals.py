"""Signals of a training, cheap enough for every evaluation: is it learning the style, or copying the picture?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

GRID = 16  # cells a side of the luminance map in which layouts are compared
COPYING_LIMIT = 0.6  # a correlation of layouts that chance does not give

ADVICE = {
    "nothing": "",
    "copied": "The layout of the style picture is copied in {copied} of {samples} samples: take an earlier step, a "
    "lower strength, or give more pictures.",
    "alike": "Samples of different prompts grow alike: take an earlier step, or train with a lower rate.",
    "prompts lost": "Samples show less of what their prompts say: take an earlier step or a lower strength.",
    "no style": "The samples do not look more like the style picture yet: train on, or raise the rate.",
    "risen": "The validation loss was lowest at step {step} and has risen since: look at that step too.",
    "good": "Nothing speaks against the last step; compare it with the one before.",
}


class Similarity(Protocol):
    """A CLIP: unit vectors [B, D] of pictures and texts in one space (`swf_core.words.clip.Clip`)."""

    def pictures(self, pictures: Sequence[Tensor]) -> Tensor: ...

    def texts(self, texts: Sequence[str]) -> Tensor: ...


def layout(picture: Tensor) -> Tensor:
    """Luminance of a picture [3, H, W] in `GRID` x `GRID` cells, without its mean, of length 1."""
    weights = torch.tensor([0.299, 0.587, 0.114]).view(3, 1, 1)
    grey = (picture.detach().float().cpu() * weights).sum(0)[None, None]
    cells = F.interpolate(grey, (GRID, GRID), mode="bilinear", antialias=True).flatten()
    cells = cells - cells.mean()
    return cells / cells.norm().clamp_min(1e-6)


def copying(picture: Tensor, originals: Sequence[Tensor], baseline: Tensor | None = None) -> float:
    """The largest correlation of a picture's layout with an original's, as it is or mirrored; -1 to 1.

    With `baseline`, the plain model's picture of the same prompt and noise, only what correlates more than that one
    counts: bright skies over dark grounds resemble each other in all pictures.
    """
    own = layout(picture)
    values = []
    for original in originals:
        for other in (layout(original), layout(original.flip(-1))):
            before = float(layout(baseline) @ other) if baseline is not None else 0.0
            value = float(own @ other)
            values.append(value if baseline is None or value > before + 0.15 else 0.0)
    return max(values)


def diversity(pictures: Sequence[Tensor]) -> float:
    """Mean distance of the layouts of samples of different prompts, 0 (all alike) to about 1."""
    if len(pictures) < 2:
        return 0.0
    maps = torch.stack([layout(p) for p in pictures])
    cosines = maps @ maps.T
    off = ~torch.eye(len(pictures), dtype=torch.bool)
    return float((1 - cosines[off]).mean())


def style_and_prompt_similarity(
    clip: Similarity, pictures: Sequence[Tensor], originals: Sequence[Tensor], prompts: Sequence[str]
) -> tuple[list[float], list[float]]:
    """For each sample the mean cosine to the originals, and how much nearer it is to its own prompt than to the others.

    A style moves all pictures away from words that say nothing of it; the difference between prompts leaves that out.
    """
    embedded = clip.pictures(pictures)
    to_style = (embedded @ clip.pictures(originals).T).mean(1)
    different = list(dict.fromkeys(prompts))
    cosines = embedded @ clip.texts(different).T
    own = cosines[range(len(prompts)), [different.index(p) for p in prompts]]
    others = (cosines.sum(1) - own) / max(1, len(different) - 1)
    return to_style.tolist(), (own - others).tolist()


def measure_signals(
    step: int,
    pictures: Sequence[Tensor],
    plain: Sequence[Tensor],
    originals: Sequence[Tensor],
    prompts: Sequence[str],
    *,
    validation: tuple[float, int],
    norm: float,
    clip: Similarity | None,
) -> dict[str, Any]:
    """The signals of one evaluation, as written to signals.json.

    `plain`: the samples of step 0. `validation`: the loss, and over how many rows (`validation.validation_loss`).
    """
    copied = [copying(p, originals, q) for p, q in zip(pictures, plain)] if plain else []
    signals: dict[str, Any] = {
        "step": step,
        "validation": round(validation[0], 6),
        "validation_rows": validation[1],
        "norm": round(norm, 6),
        "copying": [round(v, 4) for v in copied],
        "diversity": round(diversity(pictures), 4),
    }
    if clip is not None and pictures:
        style, prompt = style_and_prompt_similarity(clip, pictures, originals, prompts)
        signals |= {"style": [round(v, 4) for v in style], "prompt": [round(v, 4) for v in prompt]}
    return signals


def advice(signals: Sequence[dict[str, Any]]) -> str:
    """One sentence on what the signals say, "" before the first evaluation."""
    kind, numbers = judgement(signals)
    return ADVICE[kind].format(**numbers)


def judgement(signals: Sequence[dict[str, Any]]) -> tuple[str, dict[str, int]]:
    """What the signals say: a key of `ADVICE`, and the numbers in its sentence."""
    evaluations = [s for s in signals if s["step"] > 0]
    if not evaluations:
        return "nothing", {}
    last, first = evaluations[-1], signals[0]
    copied = sum(v > COPYING_LIMIT for v in last["copying"])
    if copied:
        return "copied", {"copied": copied, "samples": len(last["copying"])}
    if len(evaluations) > 1 and first["diversity"] > 0 and last["diversity"] < 0.5 * first["diversity"]:
        return "alike", {}
    if "prompt" in last and "prompt" in first and mean(last["prompt"]) < 0.5 * mean(first["prompt"]):
        return "prompts lost", {}
    if "style" in last and "style" in first and mean(last["style"]) - mean(first["style"]) < 0.02:
        return "no style", {}
    rows = last.get("validation_rows")  # a loss over other rows is another loss; runs of before do not say theirs
    best = min((s for s in evaluations if s.get("validation_rows") == rows), key=lambda s: s["validation"])
    if best is not last and last["validation"] > 1.05 * best["validation"]:
        return "risen", {"step": best["step"]}
    return "good", {}


def mean(values: Sequence[float]) -> float:
    """0 for none."""
    return sum(values) / len(values) if values else 0.0
