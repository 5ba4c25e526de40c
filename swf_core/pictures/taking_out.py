"""Real paintings and photographs out of an installed package, into a folder on this machine; none are shipped.

The Debian package gcompris-qt-data holds them in details.rcc (8 paintings by Van Gogh, 13 monuments) and
explore_monuments.rcc (49 photographs). Whose they are and under which licence stands in the package's copyright file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..errors import UserError
from ..files import write_files
from .held_back import held_back
from .resource_file import pictures_in

FILES = ("details.rcc", "explore_monuments.rcc")
INSTALLED = Path("/usr/share/gcompris-qt/rcc")
PAINTINGS, PHOTOGRAPHS, OTHERS = "paintings", "photographs", "more-photographs"
_WHOLE = "_background.webp"  # the others in details.rcc are cut out of these
_BY_VAN_GOGH = ("VincentVanGogh", "Van_Gogh", "Gogh4", "PortraitOfPereTanguy", "Eglise_dAuvers")


def take_out(folder: Path, out: Path) -> dict[str, Any]:
    """Write the whole pictures of both files in `folder` below `out`, byte for byte; return how many of each.

    Report: `written` folders, `counts` by folder, `unknown`: names of pictures that are not on the list of those never
    trained on (`held_back`), as from another version of the package. Raises UserError where the files are missing.
    """
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        raise UserError(
            f"'{folder}' has no {missing[0]}; install the package (apt install gcompris-qt-data), or unpack it "
            "(apt download gcompris-qt-data && dpkg -x gcompris-qt-data_*.deb DIR) and give its folder rcc."
        )
    found: dict[str, dict[str, bytes]] = {PAINTINGS: {}, PHOTOGRAPHS: {}, OTHERS: {}}
    for file in FILES:
        for name, data in pictures_in(folder / file):
            place = _place(file, name)
            if place:
                found[place][name.rsplit("/", 1)[-1]] = data
    if not all(found.values()):
        raise UserError(f"The resource files in '{folder}' hold other pictures; use the package's version 3.1.")
    write_files({out / place / name: data for place, group in found.items() for name, data in group.items()})
    known = {each.sha256 for each in held_back()}
    pictures: Sequence[tuple[str, bytes]] = [item for group in found.values() for item in group.items()]
    return {
        "written": [str(out / place) for place in found],
        "counts": {place: len(group) for place, group in found.items()},
        "unknown": [name for name, data in pictures if hashlib.sha256(data).hexdigest() not in known],
    }


def _place(file: str, name: str) -> str:
    """The folder of a picture of this file; "" for a detail."""
    if file != "details.rcc":
        return PHOTOGRAPHS
    last = name.rsplit("/", 1)[-1]
    if not last.endswith(_WHOLE):
        return ""
    return PAINTINGS if last.startswith(_BY_VAN_GOGH) else OTHERS
