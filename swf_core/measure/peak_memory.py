"""How much memory a piece of work takes beside what was held before it."""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Callable
from pathlib import Path

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def peak_growth(work: Callable[[], object]) -> int | None:
    """Bytes by which this process's resident memory grew at most while it did `work`; None where only Linux could say.

    The kernel's own high-water mark, which is set back before: nothing between two looks is missed. Memory that the C
    library held for later is given back first.
    """
    if not sys.platform.startswith("linux") or not _CLEAR.exists():
        return None
    gc.collect()
    try:
        ctypes.CDLL("libc.so.6").malloc_trim(0)
    except (OSError, AttributeError):  # another C library keeps what it likes
        pass
    _CLEAR.write_text("5")  # sets VmHWM back to what is resident now
    before = _kilobytes("VmRSS")
    work()
    return max(0, _kilobytes("VmHWM") - before) * 1024


def _kilobytes(name: str) -> int:
    line = next(line for line in _STATUS.read_text().splitlines() if line.startswith(f"{name}:"))
    return int(line.split()[1])
