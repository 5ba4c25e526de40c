"""Stage "classifier": train the two networks of `swf_core.measure.metrics.classifier` and report their accuracy."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..measure.metrics.classifier import LABELS, SceneClassifier, new_networks, views
from ..models.precision import mixed_precision
from .classifier_batches import augment, batch_loss, labels_of
from .data import classifier_picture
from .training_loop import Plan, StageSettings, train

PLANS = {
    "structure": Plan(steps=3200, learning_rate=3e-3, warm_up=50, save_every=600),
    "hue": Plan(steps=500, learning_rate=3e-3, warm_up=50, save_every=500),
}
BATCH, HELD_BACK = 64, 512


def train_classifier(pictures: np.ndarray, settings: StageSettings) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Train on all but the last 512 pictures, on which the accuracy in the report is measured."""
    seed = settings.seed
    torch.manual_seed(seed)
    pictures = np.ascontiguousarray(pictures)
    factors = [labels_of(*classifier_picture(i)) for i in range(len(pictures))]
    labels = {question: np.array([f[question] for f in factors]) for question in LABELS}
    cut = max(BATCH, len(pictures) - HELD_BACK)
    networks = new_networks()
    reports: dict[str, Any] = {}
    for k, (name, network) in enumerate(networks.items()):
        network.to(memory_format=torch.channels_last).train()  # pyright: ignore[reportCallIssue]

        def loss_of(step: int, network=network, name=name) -> Tensor:
            with mixed_precision():
                return batch_loss(network, name, pictures[:cut], labels, seed, step, BATCH)

        def progress(value: float, word: str, k=k) -> None:
            if settings.progress:
                settings.progress((k + value) / len(networks), word)

        # The plan covers the learned weights; batch statistics are re-estimated afterwards, so resuming is exact.
        part = replace(settings, folder=settings.folder / name, progress=progress)
        reports[name] = train({name: network}, loss_of, PLANS[name], part)
        _estimate_batch_statistics(network, name, pictures[:cut], seed)
        network.eval()
    weights = {f"{n}.{k}": v for n, network in networks.items() for k, v in network.state_dict().items()}
    report: dict[str, Any] = {
        "steps": {n: r["steps"] for n, r in reports.items()},
        "finished": all(r["finished"] for r in reports.values()),
        "seconds": round(sum(r["seconds"] for r in reports.values()), 1),
        "accuracy": accuracy(SceneClassifier(networks), pictures[cut:], {q: v[cut:] for q, v in labels.items()}),
    }
    return weights, report


@torch.no_grad()
def _estimate_batch_statistics(network: torch.nn.Module, name: str, pictures: np.ndarray, seed: int) -> None:
    """Re-estimate batch normalisation's statistics with the final weights, on pictures such as it was trained on."""
    norms = [m for m in network.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain average
    rng = np.random.default_rng([seed, 909])
    for _ in range(32):
        index = np.sort(rng.choice(len(pictures), min(BATCH, len(pictures)), replace=False))
        batch = augment(torch.from_numpy(pictures[index]).permute(0, 3, 1, 2).float() / 255, rng, name == "structure")
        network(views(name, batch))


def accuracy(classifier: SceneClassifier, pictures: np.ndarray, labels: dict[str, np.ndarray]) -> dict[str, float]:
    """Share of right answers per question, where there is a right answer."""
    p = classifier.probabilities(torch.from_numpy(np.array(pictures)).permute(0, 3, 1, 2).float() / 255)
    right = {q: p[q].argmax(-1).numpy() == labels[q] for q in LABELS}
    return {q: round(float(right[q][labels[q] >= 0].mean()), 4) for q in LABELS}
