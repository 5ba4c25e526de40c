"""A worker of the fuzzer: `python -m support.fuzz.worker KIND ...`. Reads JSON lines [kind, seed], answers with JSON
lines [outcome, detail, peak bytes]. The first line it writes is its memory in bytes after a warm-up of every kind on
untouched input.
"""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from random import Random

from swf_core.errors import UserError

from support.fuzz import self_test
from support.fuzz.half_file import HalfFile


def peak_bytes() -> int:
    """The largest resident memory of this process so far."""
    status = Path("/proc/self/status")
    if status.exists():  # what `getrusage` says on Linux counts from before the program began: its parent's memory
        return 1024 * int(re.search(r"VmHWM:\s+(\d+) kB", status.read_text())[1])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def outcome_of(case, rng: Random, folder: Path) -> tuple[str, str]:
    """What came of one case."""
    try:
        case(rng, folder)
    except UserError as error:
        text = str(error)
        if "\n" in text.strip() or not text.strip() or len(text) > 900:
            return "traceback", f"not one sentence: {text[:300]!r}"
        return "one sentence", ""
    except HalfFile as error:
        return "half file", str(error)
    except BaseException as error:
        frames = traceback.extract_tb(error.__traceback__)
        own = next((f for f in reversed(frames) if "swf_core" in f.filename or "nodes" in f.filename), frames[-1])
        return "traceback", f"{type(error).__name__}: {str(error)[:200]} at {Path(own.filename).name}:{own.lineno}"
    return "result", ""


def _made(kind: str, seeds: Path) -> Callable[[Random | None, Path], None]:
    if kind == "self test":
        return self_test.case
    from support.fuzz.kinds import make_case  # imports torch

    return make_case(kind, seeds)


def main() -> None:
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")  # whatever else prints goes elsewhere
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    with tempfile.TemporaryDirectory() as folder:
        cases = {}
        for kind in sys.argv[1:]:
            cases[kind] = _made(kind, Path(folder) / kind / "seeds")
            cases[kind](None, Path(folder) / kind / "warm")
        answers.write(f"{peak_bytes()}\n")
        answers.flush()
        for number, line in enumerate(sys.stdin):
            kind, seed = json.loads(line)
            place = Path(folder) / kind / str(number)
            outcome, detail = outcome_of(cases[kind], Random(seed), place)
            shutil.rmtree(place, ignore_errors=True)
            answers.write(json.dumps([outcome, detail, peak_bytes()]) + "\n")
            answers.flush()


if __name__ == "__main__":
    main()
