"""Gatys' optimization: pixels are changed until their features are the content's and their Gram matrices the style's.

Gatys et al., "Image style transfer using convolutional neural networks", CVPR 2016:

    L = alpha/2 sum (F - P)^2  +  beta sum_l w_l / (4 N_l^2 M_l^2) sum (G_l - A_l)^2            (equations 1 to 7)

F, P: features of result and content at the content layer. G_l, A_l: Gram matrices F F^T of result and style at style
layer l, which has N_l channels and M_l places; w_l = 1 / layers.
Departures: max pooling as in the trained network (the paper averages); begun from the content, not from white noise,
which the paper's figure 6 shows too; the style picture may have another size, so A_l is scaled to the result's M_l.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import UserError
from ..features.contract import Features
from ..features.distances import gram

CONTENT_LAYER = "relu4_2"  # the paper's; features that have none of that name: their own content layer
# What the loss begins at inside the optimizer: torch's L-BFGS passes over curvature below 1e-10, whatever the scale.
FIRST_LOSS = 1e4
HISTORY = 20  # pairs of gradients that L-BFGS remembers: 100, its default, are no better here and cost memory


@dataclass(frozen=True)
class GatysOptions:
    """Dials of the optimization.

    * iterations: of L-BFGS, 1 or more; each costs one evaluation of the network and its gradient, a few cost two.
    * content_weight, style_weight: alpha and beta, 0 or more; the paper shows ratios of 1e-2 to 1e-4.
    """

    iterations: int = 150
    content_weight: float = 1e-3
    style_weight: float = 1.0

    def __post_init__(self) -> None:
        if self.iterations < 1:
            raise UserError(f"Gatys' optimization of {self.iterations} iterations was asked for; it has 1 or more.")
        if min(self.content_weight, self.style_weight) < 0.0:
            raise UserError("The weights of content and style must be 0 or more.")


def gatys(
    features: Features,
    content: Tensor,
    style: Tensor | Sequence[tuple[Tensor, float]],
    options: GatysOptions | None = None,
    progress: Callable[[float], None] | None = None,
) -> Tensor:
    """The content [3, H, W] painted with the style picture's [3, h, w] Gram matrices; sRGB in 0..1, both.

    `style`: a picture, or several with weights, whose Gram matrices are averaged. `progress` is called with the share
    done, in 0..1, and may raise to stop. Raises ValueError (UserError) where no style has a weight above 0.
    """
    options = options or GatysOptions()
    loss_of = GatysLoss(features, content, style, options)
    result = content.detach().clone().float().requires_grad_(True)
    with torch.no_grad():
        first = float(loss_of(result))
    if first == 0.0:  # the style picture is the content
        return content.detach().clone().float()
    optimizer = torch.optim.LBFGS(
        [result],
        max_iter=options.iterations,
        max_eval=2 * options.iterations,
        history_size=HISTORY,
        tolerance_change=0.0,
        tolerance_grad=0.0,
        line_search_fn="strong_wolfe",
    )
    done = 0

    def evaluate() -> Tensor:
        nonlocal done
        optimizer.zero_grad()
        loss = loss_of(result) * (FIRST_LOSS / first)
        loss.backward()
        done += 1
        if progress:
            progress(min(1.0, done / options.iterations))
        return loss

    optimizer.step(evaluate)  # pyright: ignore[reportArgumentType]
    return result.detach().clamp(0, 1)


class GatysLoss:
    """The loss of a picture [3, H, W] of the content's size, with what it is compared to computed once."""

    def __init__(
        self,
        features: Features,
        content: Tensor,
        style: Tensor | Sequence[tuple[Tensor, float]],
        options: GatysOptions,
    ):
        styles = [(style, 1.0)] if isinstance(style, Tensor) else [(picture, w) for picture, w in style if w > 0.0]
        if not styles:
            raise UserError("There is no style picture with a weight above 0; give one.")
        whole = sum(weight for _, weight in styles)
        self._features, self._options = features, options
        self._content_layer = CONTENT_LAYER if CONTENT_LAYER in features.layers else features.content_layer
        with torch.no_grad():
            self._content = features.extract(content[None], (self._content_layer,))[self._content_layer]
            found = [(features.extract(picture[None], features.style_layers), w / whole) for picture, w in styles]
        self._grams = {layer: _sum(gram(values[layer]) * w for values, w in found) for layer in features.style_layers}

    def __call__(self, picture: Tensor) -> Tensor:
        """The scalar loss; gradients flow to the picture."""
        layers = tuple(dict.fromkeys((*self._features.style_layers, self._content_layer)))
        found = self._features.extract(picture[None], layers)
        content = 0.5 * (found[self._content_layer] - self._content).square().sum()
        # `gram` is divided by the places M: (G - A)^2 / (4 N^2 M^2) without them.
        style = [
            (gram(found[layer]) - target).square().sum() / (4 * target.shape[-1] ** 2)
            for layer, target in self._grams.items()
        ]
        return self._options.content_weight * content + self._options.style_weight * torch.stack(style).mean()


def _sum(tensors: Iterable[Tensor]) -> Tensor:
    return torch.stack(list(tensors)).sum(0)
