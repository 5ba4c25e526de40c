"""The measures of a transfer, picture by picture: what each one says, its unit, its range and where it is from.

`measured` takes them on results beside their pairs. Distances to the truth are brought to the scale of the tables
(content 1, another render 0) where a table is made, since the scale is a mean over pairs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ...features import Features, style_distance
from .classifier import LABELS, SceneClassifier
from .distances import gram_distance, low_pass_distance
from .pairs import Pair
from .structure import edge_f1, lightness_ssim, self_similarity_distance


@dataclass(frozen=True)
class Measure:
    """One column: `better` is "more" or "less", or "" where neither end is what one wants."""

    what: str
    unit: str
    low: float
    high: float
    better: str
    source: str


_CLASSIFIER = "the scene classifier (metrics/classifier.py)"
_RANDOM = "Gram matrices (Gatys et al. 2016) of fixed random filters (Ustyuzhaninov et al. 2016)"
UNBOUNDED = float("inf")
MEASURES: dict[str, Measure] = {
    "style": Measure("the style picture's style is the most probable one", "share", 0, 1, "more", _CLASSIFIER),
    "style_probability": Measure("probability of that style", "probability", 0, 1, "more", _CLASSIFIER),
    "object": Measure("the content's object is the most probable one", "share", 0, 1, "more", _CLASSIFIER),
    "object_probability": Measure("probability of that object", "probability", 0, 1, "more", _CLASSIFIER),
    "both": Measure("style and object are right in one picture", "share", 0, 1, "more", _CLASSIFIER),
    "leak": Measure("the style picture's object is seen instead", "share", 0, 1, "less", _CLASSIFIER),
    "gram_truth": Measure("texture: distance to the truth", "relative", 0, UNBOUNDED, "less", _RANDOM),
    "low_pass_truth": Measure(
        "color and layout: root mean square difference to the truth after a blur of 4 px at 128",
        "of the range 0..1",
        0,
        1,
        "less",
        "metrics/distances.py",
    ),
    "gram_style": Measure("texture: distance to the style picture", "relative", 0, UNBOUNDED, "less", _RANDOM),
    "features_truth": Measure(
        "texture by the perceptual features that the report names: distance to the truth",
        "relative",
        0,
        UNBOUNDED,
        "less",
        "Gram matrices of VGG-19, relu1_1 to relu5_1 (Gatys et al. 2016), where no other source is chosen",
    ),
    "features_style": Measure(
        "the same: distance to the style picture", "relative", 0, UNBOUNDED, "less", "as features_truth"
    ),
    "ssim": Measure("similarity of structure to the content, in lightness", "SSIM", -1, 1, "", "Wang et al. 2004"),
    "edge_f1": Measure("edges shared with the content, within 2 px", "F1", 0, 1, "", "Canny 1986"),
    "self_similarity": Measure(
        "places alike in the content that are not in the result, and the other way round",
        "relative",
        0,
        2,
        "less",
        "STROTSS (arXiv 1904.12785, equation 7), of fixed random filters",
    ),
}


def measured(
    classifier: SceneClassifier, features: Features, pairs: Sequence[Pair], results: Tensor
) -> list[dict[str, float]]:
    """All of `MEASURES` for results [pairs, 3, H, W] in 0..1, a dictionary a pair."""
    content, style, truth = (torch.stack([getattr(p, k) for p in pairs]) for k in ("content", "style", "truth"))
    batches = {
        "gram_truth": gram_distance(results, truth),
        "low_pass_truth": low_pass_distance(results, truth),
        "gram_style": gram_distance(results, style),
        "features_truth": style_distance(features, results, truth),
        "features_style": style_distance(features, results, style),
        "self_similarity": self_similarity_distance(results, content),
    }
    rows = []
    for i, (pair, seen) in enumerate(zip(pairs, _seen(classifier, pairs, results), strict=True)):
        row = seen | {name: float(values[i]) for name, values in batches.items()}
        row |= {"ssim": lightness_ssim(results[i], pair.content), "edge_f1": edge_f1(results[i], pair.content)}
        rows.append({name: round(row[name], 5) for name in MEASURES})
    return rows


def _seen(classifier: SceneClassifier, pairs: Sequence[Pair], results: Tensor) -> list[dict[str, float]]:
    """What the classifier says of each result."""
    probabilities = classifier.probabilities(results)
    style, kind = probabilities["style"], probabilities["object"]
    rows = []
    for i, pair in enumerate(pairs):
        answer = LABELS["object"][int(kind[i].argmax())]
        right = float(LABELS["style"][int(style[i].argmax())] == pair.look.style)
        kept = float(answer == pair.scene.main.kind)
        rows.append(
            {
                "style": right,
                "style_probability": float(style[i, LABELS["style"].index(pair.look.style)]),
                "object": kept,
                "object_probability": float(kind[i, LABELS["object"].index(pair.scene.main.kind)]),
                "both": right * kept,
                "leak": float(answer == pair.style_scene.main.kind),
            }
        )
    return rows
