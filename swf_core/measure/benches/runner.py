"""Runs one bench of the table and writes its report and pages."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from ...files import write_files
from ...pictures import png_bytes
from . import BENCHES
from .context import Bar, BenchContext, BenchResult, no_bar


def run_bench(
    name: str,
    out: Path,
    *,
    model: str = "mini",
    quick: bool = False,
    tune: bool = False,
    seed: int = 0,
    progress: Callable[[str], Bar] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """Run one bench of `BENCHES`, write `<name>.json` and, where there are pictures, `<name>.png`; return the report.

    `progress` makes a bar for a label; `more`: further fields of the context, `seeds` and `real`.
    """
    began = time.perf_counter()
    label = f"{name}-tune" if tune else name
    bar = progress(label) if progress else no_bar
    report, pages = bench_function(name)(BenchContext(out, model, quick, tune, seed, bar, **more))
    report |= {"bench": label, "quick": quick, "seconds": round(time.perf_counter() - began, 1)}
    write_files(
        {out / f"{label}.json": json.dumps(report, indent=1).encode()}
        | {out / f"{label}{suffix}.png": png_bytes(page) for suffix, page in pages.items()}
    )
    return report


def bench_function(name: str) -> Callable[[BenchContext], BenchResult]:
    """The function of a bench, its module imported now."""
    bench = BENCHES[name]
    return getattr(import_module(f".{bench.module}", __package__), bench.function)
