"""Round trips, samples and transfers of a backend, scored by the scene classifier and against the truth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...models.contracts import Backend
from ...transfer import Content, SampleOptions, TransferOptions, sample, stylize
from ...world import PALETTES, STYLES, TRAINED, caption, random_look, random_scene
from .classifier import LABELS, SceneClassifier
from .distances import DISTANCES, bootstrap_difference, scaled
from .pairs import Pair, picture

Progress = Callable[[float], None]
# The name in reports of wallfacer with a caption of the result as the prompt, which a captioner or its user gives in
# practice, and the guidance that suits the embedded model: chosen among 1.5 to 4 on tuning pairs (docs/figures.md).
CAPTIONED, CAPTIONED_CFG = "wallfacer, words said", 2.0


def share(flags: Sequence[float]) -> float:
    """Share of true flags (or the mean of numbers), rounded."""
    return round(float(np.mean(flags)), 4) if len(flags) else float("nan")


def round_trips(backend: Backend, classifier: SceneClassifier, each: int, seed: int) -> dict[str, Any]:
    """Per style: PSNR in dB (mean over pictures) and how often the classifier names the style after encode, decode."""
    report: dict[str, Any] = {}
    for k, style in enumerate(STYLES):
        pictures = torch.stack(
            [picture(random_scene(seed + 1000 * k + i), random_look(style, seed + 1000 * k + i)) for i in range(each)]
        )
        back = torch.cat([backend.codec.decode(backend.codec.encode(part)) for part in pictures.split(16)]).clamp(0, 1)
        psnr = -10 * (back - pictures).square().mean((1, 2, 3)).log10()
        report[style] = {
            "psnr_db": round(float(psnr.mean()), 2),
            "style": share([a == style for a in classifier.answers(back)["style"]]),
            "style_before": share([a == style for a in classifier.answers(pictures)["style"]]),
        }
    return report


def text_samples(
    backend: Backend,
    classifier: SceneClassifier,
    count: int,
    seed: int,
    cfg: float,
    steps: int = 25,
    progress: Progress | None = None,
) -> tuple[dict[str, Any], Tensor, list[str]]:
    """Sample full captions of unseen scenes, styles in turn; the share of each factor that is recognised."""
    natural = [n for n, (_, words) in PALETTES.items() if not words][0]
    factors = [
        (random_scene(seed + i, second=False), random_look(TRAINED[i % len(TRAINED)], seed + i, natural))
        for i in range(count)
    ]
    prompts = [caption(*f) for f in factors]
    images: list[Tensor] = []
    for start in range(0, count, 16):
        images += sample(backend, prompts[start : start + 16], SampleOptions(steps, cfg), seed=seed + start).images
        if progress:
            progress(min(1.0, (start + 16) / count))
    pictures = torch.stack(images)
    answers = classifier.answers(pictures)
    truth = {
        "style": [look.style for _, look in factors],
        "object": [s.main.kind for s, _ in factors],
        "color": [s.main.color for s, _ in factors],
        "ground": [s.ground for s, _ in factors],
        "time": [s.time for s, _ in factors],
    }
    report: dict[str, Any] = {q: share([a == b for a, b in zip(answers[q], truth[q], strict=True)]) for q in LABELS}
    report["by_style"] = {
        s: {
            q: share([a == b for a, b, t in zip(answers[q], truth[q], truth["style"], strict=True) if t == s])
            for q in ("style", "object", "color")
        }
        for s in TRAINED
    }
    report["by_object"] = {
        o: share([a == b for a, b in zip(answers["object"], truth["object"], strict=True) if b == o])
        for o in LABELS["object"]
    }
    return report, pictures, prompts


def repaint_pairs(
    backend: Backend,
    pairs: Sequence[Pair],
    options: TransferOptions,
    seed: int = 0,
    progress: Progress | None = None,
    *,
    captioned: bool = False,
    prompts: Sequence[str] = (),
) -> Tensor:
    """Results [pairs, 3, H, W] of the triple process; pictures keep their size.

    `captioned`: the prompt is the full caption of the result (content and style named), else it is empty; or give
    `prompts`, one a pair.
    """
    images: list[Tensor] = []
    for i, pair in enumerate(pairs):
        prompt = prompts[i] if prompts else caption(pair.scene, pair.look) if captioned else ""
        run = stylize(
            backend, [Content(pair.content, prompt)], [pair.style], replace(options, size_px=0), seed=seed + i
        )
        images += run.images
        if progress:
            progress((i + 1) / len(pairs))
    return torch.stack(images).clamp(0, 1)


def transfer_scores(classifier: SceneClassifier, pairs: Sequence[Pair], results: Tensor) -> dict[str, Any]:
    """Style recognised, mean probability of the style, object kept, both; and copies of the style's object."""
    probabilities, answers = classifier.probabilities(results), classifier.answers(results)
    style = [a == pair.look.style for a, pair in zip(answers["style"], pairs, strict=True)]
    same_object = [a == pair.scene.main.kind for a, pair in zip(answers["object"], pairs, strict=True)]
    copied_object = [a == pair.style_scene.main.kind for a, pair in zip(answers["object"], pairs, strict=True)]
    style_probability = [
        float(probabilities["style"][i, LABELS["style"].index(pair.look.style)]) for i, pair in enumerate(pairs)
    ]
    return {
        "style": share(style),
        "style_probability": share(style_probability),
        "object": share(same_object),
        "both": share([a and b for a, b in zip(style, same_object, strict=True)]),
        "leak": share(copied_object),
    }


def truth_distances(pairs: Sequence[Pair], results: dict[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    """Scaled distances to the truth per result set: content averages 1, another render of the truth averages 0."""
    content, truth, other = (torch.stack([getattr(p, k) for p in pairs]) for k in ("content", "truth", "other"))
    scaled_distances: dict[str, dict[str, Tensor]] = {name: {} for name in results}
    for kind, distance in DISTANCES.items():
        d_content, d_other = distance(content, truth), distance(other, truth)
        for name, images in results.items():
            scaled_distances[name][kind] = scaled(distance(images, truth), d_content, d_other)
    return scaled_distances


def compare(
    pairs: Sequence[Pair], classifier: SceneClassifier, results: dict[str, Tensor], *firsts: str
) -> dict[str, Any]:
    """Table of a transfer bench: scores and distances per result set, and each of `firsts` against the others by
    bootstrap."""
    distances = truth_distances(pairs, results)
    report: dict[str, Any] = {
        name: transfer_scores(classifier, pairs, images)
        | {k: round(float(v.mean()), 4) for k, v in distances[name].items()}
        for name, images in results.items()
    }
    report["bootstrap"] = {
        f"{first} - {name}": {
            kind: [round(v, 4) for v in bootstrap_difference(distances[first][kind], distances[name][kind])]
            for kind in DISTANCES
        }
        for first in firsts
        for name in results
        if name != first
    }
    return report
