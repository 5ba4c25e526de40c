"""Pictures as people name many of them: files, folders, patterns, and lists of these."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from ..errors import UserError

# What is taken of a folder; a file that is named is taken whatever it is called.
SUFFIXES = frozenset(
    ".png .jpg .jpeg .jfif .webp .bmp .tif .tiff .gif .avif .heic .heif .jxl .jp2 .ppm .pgm .tga".split()
)
LIST = "@"
_WILD = re.compile(r"[*?\[]")


def means_many(given: Path | str) -> bool:
    """Whether this names a folder, a pattern or a list, not one file."""
    text = str(given)
    return os.path.isdir(text) or (not os.path.exists(text) and (text.startswith(LIST) or bool(_WILD.search(text))))


def expand(given: Iterable[Path | str]) -> list[Path]:
    """The pictures that are meant, each once, in the order given; a folder's and a pattern's by name, 2 before 10.

    * a folder: the pictures right in it; hidden files are left out.
    * a pattern: "shots/*.jpg", "shots/**/*.png".
    * @LIST: a text file of any of these, one a line, # before a remark; paths in it are relative to it.
    * anything else: a file, whether or not it is there.

    Raises UserError where a folder, a pattern or a list gives nothing, or a list cannot be read.
    """
    found: dict[str, Path] = {}
    for each in given:
        for path in _meant(str(each)):
            found.setdefault(os.path.realpath(path), path)
    return list(found.values())


def natural_order(path: Path) -> tuple[list[tuple[int, int, str]], str]:
    """The key that sorts names as people count: shot2 before shot10, capitals among the others."""
    pieces = re.findall(r"\d+|\D+", path.name.casefold())
    return [(0, int(p), "") if p.isdecimal() else (1, 0, p) for p in pieces], str(path)


def _meant(text: str) -> Sequence[Path]:
    if not means_many(text):
        return [Path(text)]
    if os.path.isdir(text):
        folder = Path(text)
        pictures = [path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and _shown(path)]
        if not pictures:
            raise UserError(f"The folder '{folder}' holds no pictures; give one with files such as .png or .jpg in it.")
        return sorted(pictures, key=natural_order)
    if text.startswith(LIST):
        return _listed(Path(text[len(LIST) :]))
    matches = [Path(match) for match in glob.glob(text, recursive=True)]
    pictures = [path for path in matches if path.is_file() and path.suffix.lower() in SUFFIXES]
    if not pictures:
        raise UserError(f"No picture fits the pattern '{text}'; check it, and put it between quotes.")
    return sorted(pictures, key=natural_order)


def _shown(path: Path) -> bool:
    return not path.name.startswith(".") and path.is_file()


def _listed(file: Path) -> list[Path]:
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"The list '{file}' cannot be read; give a text file with one picture a line.") from error
    names = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    if not names:
        raise UserError(f"The list '{file}' is empty; write one picture a line into it.")
    return [path for name in names for path in _meant(str(file.parent / name))]
