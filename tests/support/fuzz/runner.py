"""Fuzz cases run by worker processes, one at a time, each with a limit of time and memory."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

from support.fuzz.kinds import SHARES

SECONDS, BYTES = 10.0, 1_000_000_000
START_SECONDS = 300.0  # to import torch on a busy machine
OUTCOMES = ("result", "one sentence", "traceback", "hang", "crash", "memory", "half file")
ROOT = Path(__file__).resolve().parents[3]


class Worker:
    """A process that runs cases (worker.py); ended and begun anew after a hang or a crash."""

    def __init__(self, kinds: Sequence[str]):
        self.kinds = list(kinds)
        self._start()

    def _start(self) -> None:
        environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}", "OMP_NUM_THREADS": "1"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "support.fuzz.worker", *self.kinds],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT,
            env=environment,
        )  # fmt: skip
        self.lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, args=(self.process, self.lines), daemon=True).start()
        self.start_bytes = int(self._line(START_SECONDS) or "0")
        assert self.start_bytes, f"no worker; to see why: python -m support.fuzz.worker {self.kinds}"

    @staticmethod
    def _read(process: subprocess.Popen, lines: queue.Queue) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            lines.put(line)
        lines.put("")

    def _line(self, seconds: float) -> str | None:
        try:
            return self.lines.get(timeout=seconds)
        except queue.Empty:
            return None

    def case(self, kind: str, seed: int) -> tuple[str, str]:
        """The outcome of a case and what is told of it."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps([kind, seed]) + "\n")
        self.process.stdin.flush()
        line = self._line(SECONDS)
        if line:
            outcome, detail, peak = json.loads(line)
            if peak - self.start_bytes > BYTES:
                self.end()
                self._start()
                return "memory", f"{(peak - self.start_bytes) / 1e9:.1f} GB over the start"
            return outcome, detail
        self.end()
        code = self.process.returncode
        self._start()
        return ("hang", f"longer than {SECONDS:.0f} s") if line is None else ("crash", f"exit code {code}")

    def end(self) -> None:
        self.process.kill()
        self.process.wait()


def run(
    cases: int, seed: int = 0, kinds: Sequence[str] | None = None, report: Callable[[str], None] = lambda _: None
) -> tuple[dict[str, Counter], list[str]]:
    """Counts of outcomes by kind, and a line for each case that was neither a result nor one sentence."""
    chosen = {kind: share for kind, share in SHARES.items() if kinds is None or kind in kinds}
    counts: dict[str, Counter] = defaultdict(Counter)
    faults = []
    worker = Worker(list(chosen))
    for kind, share in chosen.items():
        for number in range(round(cases * share / sum(chosen.values()))):
            outcome, detail = worker.case(kind, seed * 1_000_000 + number)
            counts[kind][outcome] += 1
            if outcome not in ("result", "one sentence"):
                faults.append(f"{kind}, seed {seed * 1_000_000 + number}: {outcome}: {detail}")
        report(f"{kind}: {dict(counts[kind])}")
    worker.end()
    return counts, faults


def table(counts: dict[str, Counter]) -> str:
    """Counts by kind as text."""
    width = max(map(len, counts), default=0) + 2
    rows = [f"{'kind':{width}}" + "".join(f"{o:>14}" for o in ("cases", *OUTCOMES))]
    total = sum(counts.values(), Counter())
    for kind, counter in [*counts.items(), ("all", total)]:
        cells = [counter.total(), *(counter[o] for o in OUTCOMES)]
        rows.append(f"{kind:{width}}" + "".join(f"{cell:>14}" for cell in cells))
    return "\n".join(rows) + "\n"
