"""The host tests by the page they ran in: ComfyUI's own front end and the newest one, classic and Vue nodes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

_PAGE = re.compile(r"^(?P<outcome>\w+) .*\[(?:.*-)?(?P<which>own|newest), (?P<nodes>classic|Vue)(?:-.*)?\]")


def version_in(folder: Path) -> str:
    """The version of the front end that was fetched into a folder."""
    names = [path.name for path in folder.glob("comfyui_frontend_package-*.dist-info")]
    return re.sub(r".*-(.+)\.dist-info", r"\1", names[0]) if names else "not fetched"


def frontend_table(lines: Sequence[str], versions: Mapping[str, str]) -> list[str]:
    """A row for each front end and kind of nodes: tests passed and not, of result lines as `make test-host` keeps
    them."""
    counts: dict[tuple[str, str], Counter] = {(w, n): Counter() for w in ("own", "newest") for n in ("classic", "Vue")}
    for line in lines:
        if match := _PAGE.match(line):
            counts[match["which"], match["nodes"]][match["outcome"] == "PASSED"] += 1
    rows = [f"{'front end':24}{'nodes':10}{'passed':>8}{'other':>8}"]
    for (which, nodes), counter in counts.items():
        rows.append(f"{f'{which} ({versions[which]})':24}{nodes:10}{counter[True]:>8}{counter[False]:>8}")
    return rows
