"""What `bench real` is run on: folders, how many pictures of each, presets and the source of features."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PRESETS = ("wallfacer", "faithful", "free", "styleid")


@dataclass(frozen=True)
class RealPictures:
    """Folders of pictures, and at most so many of each; `features`: see `swf_core.features.load_features`."""

    paintings: Path = Path("out/pictures/paintings")
    photographs: Path = Path("out/pictures/photographs")
    most_paintings: int = 8
    most_photographs: int = 12
    presets: tuple[str, ...] = PRESETS
    features: str = "vgg"
    size_px: int = 256
