"""What every source of features offers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from torch import Tensor


class Features(Protocol):
    """A fixed network that describes pictures.

    * name: which network with weights from where, as reports say it.
    * layers: the names of its layers, from the picture upward.
    * style_layers, content_layer: those that style and content are measured on.

    Pictures are [B, 3, H, W], sRGB in 0..1; the network's own normalization is done inside.
    """

    @property
    def name(self) -> str: ...

    @property
    def layers(self) -> tuple[str, ...]: ...

    @property
    def style_layers(self) -> tuple[str, ...]: ...

    @property
    def content_layer(self) -> str: ...

    def extract(self, pictures: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
        """Features [B, C, h, w] of these layers, by their names. Gradients flow through.

        Raises UserError for a layer that there is not.
        """
        ...
