"""The data set that a style is learnt from: pictures with captions that say nothing of the style."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from torch import Tensor

from ..errors import UserError
from ..pictures import picture_id as picture_id

ORIGINAL = "original"
MAX_WEIGHT, MAX_REPEATS = 1000.0, 10_000
_REPEATS = re.compile("([0-9]{1,6})_")  # kohya's "10_cats"
ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")


@dataclass(frozen=True)
class Item:
    """One picture [3, H, W] in 0..1, never scaled or cropped here, and what it shows in words.

    * weight, repeats: how often it is drawn, against the others; only their product counts.
    * origin: "original", or for a picked sample the step at which it was made: "step 100"
    * id: of the picture as 8-bit values, so that the same picture is the same item wherever it comes from.
    """

    picture: Tensor
    caption: str
    weight: float = 1.0
    repeats: int = 1
    origin: str = ORIGINAL
    id: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        if self.picture.ndim != 3 or self.picture.shape[0] != 3:
            raise UserError(f"A picture has the shape {tuple(self.picture.shape)}; it must be [3, height, width].")
        if not 0 < self.weight <= MAX_WEIGHT or not 1 <= self.repeats <= MAX_REPEATS:
            raise UserError(
                f"A picture has weight {self.weight} and repeats {self.repeats}; weights are above 0 and at most 1000, "
                "repeats 1 to 10000."
            )
        if not self.id:
            object.__setattr__(self, "id", picture_id(self.picture))

    @property
    def picked(self) -> bool:
        """Whether it is a picked sample, not an original."""
        return self.origin != ORIGINAL

    @property
    def share(self) -> float:
        """How often it is drawn, unscaled."""
        return self.weight * self.repeats


def items_of(
    pictures: Sequence[Tensor], captions: Sequence[str] | str, weight: float = 1.0, repeats: int = 1
) -> tuple[Item, ...]:
    """Items from pictures and as many captions, or one caption for all.

    Raises UserError when there is no picture, or neither one caption nor one each.
    """
    if not len(pictures):
        raise UserError("The data set is empty; give at least one picture of the style.")
    texts = [captions] if isinstance(captions, str) else list(captions)
    if len(texts) == 1:
        texts *= len(pictures)
    if len(texts) != len(pictures):
        raise UserError(f"There are {len(pictures)} pictures and {len(texts)} captions; give one caption each.")
    return tuple(Item(p.detach().clone(), t.strip(), weight, repeats) for p, t in zip(pictures, texts))


def pictures_in_folder(folder: Path) -> list[tuple[Path, int]]:
    """The pictures of a folder in the order of their names, and how often each counts.

    As kohya's trainers have it, a folder `10_cats` counts each of its pictures ten times: the given folder or folders
    in it, whose pictures come after its own. Other folders in it are left out.
    Raises UserError for a folder that is missing, cannot be read, or holds no picture.
    """
    if not os.path.isdir(folder):
        raise UserError(f"The folder '{folder}' does not exist; give a folder with pictures and .txt captions.")
    try:
        inner = sorted(p for p in folder.iterdir() if _REPEATS.match(p.name) and p.is_dir())
        places = [(folder, _repeats(folder)), *((place, _repeats(place)) for place in inner)]
        found = [(path, repeats) for place, repeats in places for path in _pictures(place)]
    except OSError as error:
        raise UserError(f"The folder '{folder}' cannot be read: {error.strerror or error}; give another.") from error
    if not found:
        raise UserError(f"The folder '{folder}' holds no picture ({', '.join(ENDINGS)}).")
    return found


def _pictures(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.suffix.lower() in ENDINGS and not p.name.startswith("."))


def _repeats(folder: Path) -> int:
    """What a folder's name says: 10 for `10_cats`, 1 for others."""
    match = _REPEATS.match(folder.name)
    repeats = int(match[1]) if match else 1
    if not 1 <= repeats <= MAX_REPEATS:
        raise UserError(f"The folder '{folder}' says {repeats} repeats; they are 1 to {MAX_REPEATS}: rename it.")
    return repeats


def items_from_folder(folder: Path, caption: str | None = None, long_side: int = 2048) -> tuple[Item, ...]:
    """The pictures of a folder as `pictures_in_folder` says, each captioned by a text file of its name.

    `caption` is taken for pictures that have no such file. `long_side`: larger pictures are scaled to it.
    Raises UserError as `pictures_in_folder` does, for a missing caption, and for a file that cannot be read.
    """
    from ..pictures import load

    found = pictures_in_folder(folder)
    captions = [caption_beside(path, caption) for path, _ in found]
    items = items_of([load(path, long_side).pixels for path, _ in found], captions)
    return tuple(replace(item, repeats=repeats) for item, (_, repeats) in zip(items, found))


def caption_beside(path: Path, otherwise: str | None) -> str:
    """The caption in the text file beside a picture. Raises UserError when there is neither that nor `otherwise`."""
    beside = path.with_suffix(".txt")
    if not beside.is_file():
        if otherwise is None:
            raise UserError(f"The picture '{path}' has no caption: '{beside.name}' is missing beside it.")
        return otherwise
    try:
        return " ".join(beside.read_text(encoding="utf-8-sig").split())
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"The caption '{beside}' cannot be read as UTF-8 text.") from error
