"""Perceptual features: one interface, and three sources whose name is always said with a figure.

VGG-19 with the weights of an installed package or of a file, or the embedded random filters that need no weights.
"""

from .contract import Features
from .distances import content_distance, gram, style_distance
from .sources import SOURCES, VGG_CONTENT, VGG_STYLE, load_features

__all__ = [
    "SOURCES",
    "VGG_CONTENT",
    "VGG_STYLE",
    "Features",
    "content_distance",
    "gram",
    "load_features",
    "style_distance",
]
