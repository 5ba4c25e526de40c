"""Gatys' optimization: the loss is the paper's, written once more in NumPy, and its minimum is where it should be."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from swf_core.classics.gatys import GatysLoss, GatysOptions, gatys
from swf_core.classics.second_pass import ITERATIONS, second_pass
from swf_core.errors import UserError
from swf_core.features import load_features

SIDE = 32


@pytest.fixture(scope="module")
def pictures():
    """Noise, fine in the content and coarse in the style, whose values stay away from black and white."""
    generator = torch.Generator().manual_seed(3)
    content, coarse = (torch.rand((1, 3, side, width), generator=generator) for side, width in ((SIDE, SIDE), (8, 12)))
    style = torch.nn.functional.interpolate(coarse, size=(SIDE, SIDE + 16), mode="bilinear")
    return [0.4 + 0.2 * content[0], 0.3 + 0.4 * style[0]]


def loss_in_numpy(features, picture, content, style, alpha: float, beta: float) -> float:
    """Equations 1 to 7, with sums over all places and channels; A is scaled to the result's number of places."""
    layer = "relu4_2" if "relu4_2" in features.layers else features.content_layer

    def layers_of(image, names):
        return {k: v[0].double().numpy() for k, v in features.extract(image[None], names).items()}

    f, p = (layers_of(image, (layer,))[layer] for image in (picture, content))
    total = alpha * 0.5 * np.sum((f - p) ** 2)
    mine, theirs = (layers_of(image, features.style_layers) for image in (picture, style))
    for name in features.style_layers:
        a, b = (x[name].reshape(x[name].shape[0], -1) for x in (mine, theirs))
        n, m = a.shape
        total += beta / len(mine) * np.sum((a @ a.T - b @ b.T * m / b.shape[1]) ** 2) / (4 * n**2 * m**2)
    return float(total)


@pytest.mark.parametrize("source", ["vgg", "embedded"])
def test_the_loss_is_the_papers(pictures, source: str) -> None:
    content, style = pictures
    features = load_features(source)
    picture = torch.rand(content.shape, generator=torch.Generator().manual_seed(9))
    options = GatysOptions(content_weight=0.02, style_weight=3.0)
    loss = float(GatysLoss(features, content, style, options)(picture))
    assert loss == pytest.approx(loss_in_numpy(features, picture, content, style, 0.02, 3.0), rel=1e-4)


def test_the_gradient_is_the_losss(pictures) -> None:
    """Along one direction, by central differences."""
    content, style = pictures
    loss_of = GatysLoss(load_features("embedded"), content, style, GatysOptions(content_weight=0.1))
    generator = torch.Generator().manual_seed(5)
    picture, direction = torch.rand(content.shape, generator=generator), torch.randn(content.shape, generator=generator)
    picture.requires_grad_(True)
    loss_of(picture).backward()
    slope = float((picture.grad * direction).sum())
    with torch.no_grad():
        ahead, behind = (float(loss_of(picture + h * direction)) for h in (1e-3, -1e-3))
    assert slope == pytest.approx((ahead - behind) / 2e-3, rel=0.02)


def test_style_equal_to_content_changes_nothing(pictures) -> None:
    content = pictures[0]
    result = gatys(load_features("embedded"), content, content, GatysOptions(iterations=3))
    assert torch.allclose(result, content, atol=1e-5)


def test_more_iterations_lower_the_loss_and_the_same_ones_give_the_same_bytes(pictures) -> None:
    content, style = pictures
    features, said = load_features("embedded"), []
    loss_of = GatysLoss(features, content, style, GatysOptions(content_weight=0.0))
    results = [gatys(features, content, style, GatysOptions(n, content_weight=0.0), said.append) for n in (2, 8, 60)]
    losses = [float(loss_of(picture)) for picture in (content, *results)]
    assert losses == sorted(losses, reverse=True) and losses[-1] < 0.5 * losses[0]
    assert said[-1] == 1.0 and results[-1].shape == content.shape
    assert torch.equal(results[1], gatys(features, content, style, GatysOptions(8, content_weight=0.0)))
    assert 0 <= results[-1].min() and results[-1].max() <= 1


def test_weights_choose_between_content_and_style(pictures) -> None:
    content, style = pictures
    features = load_features("embedded")
    faithful = gatys(features, content, style, GatysOptions(10, content_weight=100.0))
    free = gatys(features, content, style, GatysOptions(10, content_weight=0.0))
    assert (faithful - content).abs().mean() < 0.5 * (free - content).abs().mean()


def test_several_styles_share_by_weight(pictures) -> None:
    content, style = pictures[0], pictures[1][..., :SIDE]
    features, options = load_features("embedded"), GatysOptions(content_weight=0.0)
    with torch.no_grad():
        losses = [
            float(GatysLoss(features, content, [(style, share), (content, 1.0 - share)], options)(style))
            for share in (1.0, 0.75, 0.5, 0.0)
        ]
    assert losses == sorted(losses) and losses[0] < 1e-3 * losses[-1]
    # Gram matrices are averaged: the distance to the mean of two is that share of the distance between them, squared.
    assert losses[2] == pytest.approx(losses[3] / 4, rel=1e-3)
    assert float(GatysLoss(features, content, [(style, 3.0)], options)(style)) == losses[0]
    with pytest.raises(UserError, match="weight above 0"):
        GatysLoss(features, content, [(style, 0.0)], options)


def test_a_second_pass_brings_a_result_nearer_to_the_style_and_leaves_what_it_shows(pictures) -> None:
    content, style = pictures
    features = load_features("embedded")
    result = second_pass(features, content, style)
    loss_of = GatysLoss(features, content, style, GatysOptions(content_weight=0.0))
    assert float(loss_of(result)) < 0.9 * float(loss_of(content))
    assert (result - content).abs().mean() < 0.3 * (style[..., :SIDE] - content).abs().mean()
    assert torch.equal(result, gatys(features, content, style, GatysOptions(ITERATIONS)))
    assert torch.equal(second_pass(features, content, style, 0), content)


def test_what_no_optimization_can_be(pictures) -> None:
    with pytest.raises(UserError, match="0 iterations"):
        GatysOptions(iterations=0)
    with pytest.raises(UserError, match="0 or more"):
        GatysOptions(style_weight=-1.0)
