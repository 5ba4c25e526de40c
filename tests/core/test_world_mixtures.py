"""Hands that no word names: same seed, same bytes; a hand is known again; none is near a held-out painter."""

from __future__ import annotations

import numpy as np
import torch

from swf_core.measure.metrics.classifier import LABELS, load_classifier
from swf_core.measure.metrics.distances import gram
from swf_core.world import HELD_OUT, TRAINED, random_look, random_mixture, random_scene, render, render_mixture
from swf_core.world.mixture import RULES
from swf_core.world.seeds import LESSON_SEED, TUNE_SEED


def as_tensor(pictures: list[np.ndarray]) -> torch.Tensor:
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2)


def gram_vectors(pictures: torch.Tensor) -> torch.Tensor:
    return torch.cat([matrix.flatten(1) for matrix in gram(pictures)], 1)


def test_same_seed_same_bytes_and_a_partner_is_another_picture() -> None:
    scene = random_scene(TUNE_SEED)
    for rule in RULES:
        hand = next(h for h in map(random_mixture, range(100)) if h.rule == rule)
        first = render_mixture(scene, hand)
        assert first.shape == (128, 128, 3) and first.dtype == np.float32 and first.std() > 0.01
        assert first.min() >= 0 and first.max() <= 1
        assert first.tobytes() == render_mixture(scene, hand).tobytes()
        assert np.abs(first - render_mixture(scene, hand.reseeded(5))).mean() > 0.002
    assert render_mixture(scene, hand, 96).shape == (96, 96, 3)


def test_hands_are_drawn_from_all_of_their_ranges_and_never_from_held_out_painters() -> None:
    hands = [random_mixture(i) for i in range(600)]
    styles = {look.style for hand in hands for look in (hand.first, hand.second)}
    assert styles == set(TRAINED) - {"photo"} and not styles & set(HELD_OUT)
    assert {hand.rule for hand in hands} == set(RULES)
    for values, low, high in (
        ([h.first.width for h in hands], 0.85, 1.75),
        ([h.first.angle for h in hands], -np.pi / 2, np.pi / 2),
        ([h.second.contrast for h in hands], 0.7, 1.6),
        ([h.share for h in hands], 0.3, 0.7),
        ([h.stretch for h in hands], 1.0, 1.5),
    ):
        span = high - low
        assert low <= min(values) < low + span / 20 and high - span / 20 < max(values) <= high
    # The palette is the picture's, the same for both painters; the hand stays when its seed changes.
    assert all(h.first.palette == h.second.palette for h in hands)
    assert hands[0].reseeded(9).reseeded(hands[0].first.seed) == hands[0]


def test_no_hand_is_taken_for_a_held_out_painter() -> None:
    pictures = as_tensor([render_mixture(random_scene(i), random_mixture(LESSON_SEED + i)) for i in range(200)])
    probabilities = load_classifier().probabilities(pictures)["style"]
    held_out = [LABELS["style"].index(style) for style in HELD_OUT]
    assert (probabilities.argmax(1).unsqueeze(1) == torch.tensor(held_out)).any(1).float().mean() <= 0.01
    assert probabilities[:, held_out].sum(1).mean() < 0.05
    shown = as_tensor([render(random_scene(i), random_look(HELD_OUT[i % 3], TUNE_SEED + i)) for i in range(30)])
    assert load_classifier().probabilities(shown)["style"][:, held_out].sum(1).mean() > 0.9  # it would be seen


def test_two_pictures_of_a_hand_are_nearer_to_each_other_than_to_other_hands() -> None:
    hands = [random_mixture(LESSON_SEED + i) for i in range(24)]
    # One scene for all, so that what differs is the hand.
    first, other = (as_tensor([render_mixture(random_scene(3), h.reseeded(s)) for h in hands]) for s in (11, 12))
    distances = torch.cdist(gram_vectors(first), gram_vectors(other))
    assert (distances.argmin(1) == torch.arange(len(hands))).float().mean() > 0.8
