"""A second pass over a transfer's result: Gatys' optimization, begun from it and with it as the content.

The result has the content's drawing in the style's tones, and what its model can paint of the style's marks; the pass
adds those that the model was never taught. It changes no weights and needs no training, but a network of features: by
VGG-19 marks come out whose Gram matrices are the style picture's. Our own combination (docs/figures.md).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor

from ..features.contract import Features
from .gatys import GatysOptions, gatys

# More bring little (docs/figures.md).
ITERATIONS = 20


def second_pass(
    features: Features,
    result: Tensor,
    style: Tensor | Sequence[tuple[Tensor, float]],
    iterations: int = ITERATIONS,
    progress: Callable[[float], None] | None = None,
) -> Tensor:
    """A result [3, H, W] in 0..1 with more of the style pictures' marks; `style`, `progress` and errors as in `gatys`.

    0 iterations are the result, bit for bit.
    """
    return gatys(features, result, style, GatysOptions(iterations), progress) if iterations else result
