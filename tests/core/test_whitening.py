"""Whitening and coloring: the formula gives the style's mean and covariance, and its ends are exact."""

from __future__ import annotations

import pytest
import torch

from swf_core.errors import UserError
from swf_core.transfer.whitening import whiten_and_color


def features(seed: int, rows: int = 2, cells: int = 12) -> torch.Tensor:
    g = torch.Generator().manual_seed(seed)
    mixing = torch.randn((4, 4), generator=g)
    return torch.einsum("dc,bcxy->bdxy", mixing, torch.randn((rows, 4, cells, cells), generator=g)) + 3.0 * seed


def covariance(x: torch.Tensor) -> torch.Tensor:
    return torch.stack([torch.cov(row.flatten(1)) for row in x])


def test_mean_and_covariance_become_the_styles() -> None:
    content, style = features(1), features(2, cells=9)
    moved = whiten_and_color(content, style)
    assert torch.allclose(moved.mean((2, 3)), style.mean((2, 3)), atol=1e-4)
    assert torch.allclose(covariance(moved), covariance(style), rtol=1e-3, atol=1e-3)
    assert not torch.allclose(covariance(content), covariance(style), rtol=0.1, atol=0.1)


def test_the_ends_of_the_amount_and_its_range() -> None:
    content, style = features(1), features(2)
    assert whiten_and_color(content, style, 0.0) is content
    half = (content + whiten_and_color(content, style)) / 2
    assert torch.allclose(whiten_and_color(content, style, 0.5), half, atol=1e-4)
    assert torch.allclose(whiten_and_color(content, content), content, atol=1e-4)
    with pytest.raises(UserError, match="between 0"):
        whiten_and_color(content, style, 1.5)


def test_a_content_that_does_not_vary_in_a_channel_stays_finite() -> None:
    content, style = features(1), features(2)
    content[:, 1] = 0.25
    moved = whiten_and_color(content, style)
    assert torch.isfinite(moved).all() and moved.abs().max() < 1e3
    flat = whiten_and_color(torch.ones(1, 4, 8, 8), style[:1])
    assert torch.allclose(flat, style[:1].mean((2, 3), keepdim=True).expand_as(flat), atol=1e-5)
