"""Files that shipped graphs need beside the pack."""

from __future__ import annotations

import shutil
from pathlib import Path

from support.comfy_host import Host


def put_example(host: Host, base: Path) -> None:
    """The one picture that a fresh ComfyUI has in its input folder."""
    shutil.copy(host.folder / "input" / "example.png", base / "input")
