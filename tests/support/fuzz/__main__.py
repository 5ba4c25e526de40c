"""`python -m support.fuzz [--cases N] [--seed S] [--kinds K ...] [--out FILE]`: fuzz, print and write the counts."""

from __future__ import annotations

import argparse
import datetime
import platform
import sys
from pathlib import Path

from support.fuzz.runner import run, table


def main() -> int:
    parser = argparse.ArgumentParser(prog="support.fuzz", description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", nargs="*")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    counts, faults = run(options.cases, options.seed, options.kinds, report=print)
    head = (
        "What `make fuzz` last did: mutations of every kind of file, text and request that the pack reads.\n"
        f"{datetime.date.today()}, Python {platform.python_version()}, seed {options.seed}, {options.cases} cases; "
        "each at most 10 s and 1 GB over the start.\n\n"
    )
    text = head + table(counts)
    print(text)
    for fault in faults:
        print(fault, file=sys.stderr)
    if options.out:
        options.out.write_text(text, encoding="utf-8")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
