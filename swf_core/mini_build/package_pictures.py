"""Real photographs and paintings that public packages ship: which packages, and their pictures in a folder.

A user unpacks the packages (`apt-get download NAME; dpkg -x NAME*.deb FOLDER/NAME`) and gives the folder as
`mini build --pictures FOLDER`. None of these pictures is in the repository; the model card lists the packages.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from ..errors import UserError
from ..files import write_files
from ..pictures.held_back import refuse_held_back
from ..pictures.likeness import distance, likeness

KINDS = ("photograph", "painting")
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
# Pictures are kept at no more than this short side: 256 px views of the whole and crops at full size both come of it.
LONGEST_SHORT_SIDE = 1280
SMALLEST_SHORT_SIDE = 240
# Bits of 256 in which two files of one picture (sizes, formats, a little cut off) differ at most.
SAME_PICTURE = 24
BACKGROUND = (128, 128, 128)  # behind what is transparent


@dataclass(frozen=True)
class PackageSource:
    """A package, the version that was used, its licence, and which of its files are pictures of which kind.

    `photographs`, `paintings`: regular expressions, searched in the path below the package's folder; "" for none.
    """

    name: str
    version: str
    licence: str
    photographs: str = ""
    paintings: str = ""

    def kind_of(self, path: str) -> str | None:
        """The kind of the picture at a path below the package's folder, None for what is not used."""
        for kind, pattern in zip(KINDS, (self.photographs, self.paintings), strict=True):
            if pattern and re.search(pattern, path):
                return kind
        return None


_PLASMA_PHOTOGRAPHS = r"wallpapers/(BytheWater|ColdRipple|ColorfulCups|DarkestHour|EveningGlow|FallenLeaf|Grey|IceCold|"
_PLASMA_PHOTOGRAPHS += r"Kite|Path|OneStandsOut|PastelHills|Shell|Summer_1am|summer_1am|Elarun)/contents/images/"
_PORTRAITS = r"/(portraits|story)/"

# Debian 12. Licences as the packages' copyright files say.
SOURCES = (
    PackageSource("lomiri-wallpapers-16.04", "20.04.0-2", "CC BY-SA 3.0", photographs=r"(?<!pattern)_by_.*\.jpg$"),
    PackageSource("lomiri-wallpapers-20.04", "20.04.0-2", "CC BY-SA 4.0", r"Kleiber", r"Infinite-Sea|Painting"),
    PackageSource("mate-backgrounds", "1.26.0-1", "GPL-2+, CC BY-SA", r"/mate/nature/", r"/Elephants\.jpg$"),
    PackageSource("palapeli-data", "4:22.12.3-1", "GPL-2+, CC BY-SA, GFDL", r"/palapeli/collection/.*\.jpg$"),
    PackageSource(
        "plasma-workspace-wallpapers",
        "4:5.27.5-2",
        "LGPL-3, CC BY-SA 4.0",
        _PLASMA_PHOTOGRAPHS,
        r"wallpapers/.*/contents/images(_dark)?/",
    ),
    PackageSource("wesnoth-1.16-data", "1:1.16.9-1", "GPL-2+, CC BY-SA 4.0", paintings=_PORTRAITS),
    PackageSource("wesnoth-1.16-httt", "1:1.16.9-1", "GPL-2+, CC BY-SA 4.0", paintings=_PORTRAITS),
    PackageSource("wesnoth-1.16-utbs", "1:1.16.9-1", "GPL-2+, CC BY-SA 4.0", paintings=_PORTRAITS),
    PackageSource("wesnoth-1.16-low", "1:1.16.9-1", "GPL-2+, CC BY-SA 4.0", paintings=_PORTRAITS),
    PackageSource("wesnoth-1.16-dw", "1:1.16.9-1", "GPL-2+, CC BY-SA 4.0", paintings=_PORTRAITS),
    PackageSource("wesnoth-1.16-nr", "1:1.16.9-1", "GPL-2+, CC BY-SA 4.0", paintings=_PORTRAITS),
)


@dataclass(frozen=True)
class RealPicture:
    """A picture that may be trained on: package, path below its folder, kind, pixels uint8 [H, W, 3]."""

    package: str
    path: str
    kind: str
    pixels: np.ndarray


def package_pictures(
    folder: Path,
    cache: Path,
    sources: Sequence[PackageSource] = SOURCES,
    progress: Callable[[float], None] | None = None,
) -> list[RealPicture]:
    """The pictures of the packages that lie unpacked in `folder`, each once, at most 1280 px at the short side.

    Shrunk copies are kept in `cache` as memory-mapped arrays. Raises UserError when no package is there or a picture
    is kept for tests.
    """
    found = list(_files(folder, sources))
    if not found:
        names = ", ".join(source.name for source in sources)
        raise UserError(
            f"No picture of a known package lies in '{folder}'; unpack some of these there, each in a folder of its "
            f"name (dpkg -x FILE.deb '{folder}/NAME'): {names}."
        )
    cache.mkdir(parents=True, exist_ok=True)
    pictures: list[RealPicture] = []
    looks: list[int] = []
    for index, (source, path) in enumerate(found):
        pixels = _shrunk(path, cache)
        if progress:
            progress((index + 1) / len(found))
        if pixels is None:
            continue
        look = likeness(pixels)
        if any(distance(look, other) <= SAME_PICTURE for other in looks):
            continue
        looks.append(look)
        below = path.relative_to(folder / source.name).as_posix()
        pictures.append(RealPicture(source.name, below, str(source.kind_of(below)), pixels))
    refuse_held_back([picture.pixels for picture in pictures])
    return pictures


def _files(folder: Path, sources: Sequence[PackageSource]) -> Iterator[tuple[PackageSource, Path]]:
    """Each picture file with its package, the largest files of a folder first: of copies the best is kept."""
    for source in sources:
        root = folder / source.name
        paths = [p for p in root.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file() and not p.is_symlink()]
        for path in sorted(paths, key=lambda p: (-p.stat().st_size, p.as_posix())):
            if source.kind_of(path.relative_to(root).as_posix()):
                yield source, path


def _shrunk(path: Path, cache: Path) -> np.ndarray | None:
    """The picture's pixels at no more than 1280 px of short side; None for one that is too small."""
    kept = cache / f"{hashlib.sha256(path.read_bytes()).hexdigest()[:24]}.npy"
    if not kept.exists():
        import io

        with Image.open(path) as image:
            if min(image.size) < SMALLEST_SHORT_SIDE:
                return None
            short = LONGEST_SHORT_SIDE
            image.draft("RGB", (short, short))  # JPEG: decoded near the size already
            pixels = _on_gray(image)
        scale = short / min(pixels.size)
        if scale < 1:
            pixels = pixels.resize(
                (round(pixels.width * scale), round(pixels.height * scale)), Image.Resampling.LANCZOS, reducing_gap=3
            )
        file = io.BytesIO()
        np.save(file, np.asarray(pixels))
        write_files({kept: file.getvalue()})
    return np.load(kept, mmap_mode="r")


def _on_gray(image: Image.Image) -> Image.Image:
    """The picture in RGB, what is transparent shown on gray."""
    if image.mode in ("RGBA", "LA", "P", "PA"):
        with_alpha = image.convert("RGBA")
        ground = Image.new("RGBA", image.size, (*BACKGROUND, 255))
        return Image.alpha_composite(ground, with_alpha).convert("RGB")
    return image.convert("RGB")
