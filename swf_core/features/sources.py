"""Where features come from, by name or by file."""

from __future__ import annotations

from pathlib import Path

from .contract import Features
from .embedded import RandomFeatures
from .vgg19 import VGG_CONTENT as VGG_CONTENT
from .vgg19 import VGG_STYLE as VGG_STYLE
from .vgg_weights import from_file, from_package

SOURCES = ("vgg", "embedded")


def load_features(source: str = "vgg") -> Features:
    """Features from a source: "vgg" (the installed package's weights), "embedded", or a path of a file of weights.

    There is no fallback: what was asked for is what runs, and its `name` says so. Raises UserError where it cannot.
    """
    if source == "vgg":
        return from_package()
    return RandomFeatures() if source == "embedded" else from_file(Path(source))
