"""The classes of the embedded captioner and CLIP: transformers' own, with early convolutions for patches.

A vision transformer that cuts a picture into patches and projects them learns textures and shapes from hundreds of
thousands of pictures; a few strided convolutions in place of the projection learn them from a fraction (Xiao et al.,
Early convolutions help transformers see better, arXiv 2106.14881). Everything else is as in the classes they extend.
"""

from __future__ import annotations

from typing import Any, cast

from torch import Tensor, nn
from transformers import BlipForConditionalGeneration, CLIPModel


class Stem(nn.Sequential):
    """Pictures [B, 3, 128, 128] to patches [B, width, 8, 8]."""

    def __init__(self, width: int) -> None:
        super().__init__(
            nn.Conv2d(3, 48, 8, stride=4, padding=2, bias=False),
            nn.BatchNorm2d(48),
            nn.ReLU(),
            nn.Conv2d(48, 96, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(96),
            nn.ReLU(),
            nn.Conv2d(96, 96, 3, padding=1, bias=False),
            nn.BatchNorm2d(96),
            nn.ReLU(),
            nn.Conv2d(96, width, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, width, 1),
        )

    @property
    def weight(self) -> Tensor:
        """The first convolution's: the classes ask for the type of their patch embedding's weight."""
        return cast(nn.Conv2d, self[0]).weight


def use_early_convolutions(model: Any) -> None:
    """Put early convolutions in the place of a vision tower's projection of patches."""
    model.vision_model.embeddings.patch_embedding = Stem(model.config.vision_config.hidden_size)


class MiniBlip(BlipForConditionalGeneration):
    """BLIP with early convolutions."""

    def __init__(self, config) -> None:
        super().__init__(config)
        use_early_convolutions(self)


class MiniClip(CLIPModel):
    """CLIP with early convolutions."""

    def __init__(self, config) -> None:
        super().__init__(config)
        use_early_convolutions(self)
