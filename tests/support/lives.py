"""A process that can be begun, and killed, again and again: a fork for each life, since its imports cost seconds."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]

# By file: some package may have left a `tests` of its own. What a life prints goes nowhere but for its own two words.
_PROCESS = """
import os, sys
sys.path[:0] = [{root!r}, {root!r} + "/tests"]
from pathlib import Path
from swf_core.cli.stopping import exit_code, stoppable
words = os.fdopen(os.dup(1), "w")
quiet = os.open(os.devnull, os.O_WRONLY)
os.dup2(quiet, 1)

def ready():
    print("ready", os.getpid(), file=words, flush=True)

{script}

for _ in sys.stdin:
    if not (child := os.fork()):
        os.dup2(quiet, 2)
        code = 1
        try:
            with stoppable():
                print("done", live(*{arguments!r}), file=words, flush=True)
            code = 0
        except KeyboardInterrupt as stop:
            code = exit_code(stop)
        finally:
            os._exit(code)
    print("ended", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), file=words, flush=True)
"""


class Lives:
    """`script` defines `live(*arguments)`, which calls `ready()` when it may be killed and returns what is printed."""

    def __init__(self, script: str, *arguments: Any):
        given = [str(a) if isinstance(a, Path) else a for a in arguments]
        process = _PROCESS.format(root=str(ROOT), script=script, arguments=given)
        pipe = subprocess.PIPE
        self.process = subprocess.Popen([sys.executable, "-c", process], stdin=pipe, stdout=pipe, text=True)

    def begin(self) -> int:
        """Begin a life and return its process id when it is ready."""
        assert self.process.stdin
        self.process.stdin.write("again\n")
        self.process.stdin.flush()
        return int(self.line().removeprefix("ready "))

    def line(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline().strip()

    def ended(self) -> int:
        """Wait for the end of a life and return its exit code, below 0 for a signal."""
        line = self.line()
        return int((self.line() if line.startswith("done") else line).removeprefix("ended "))

    def whole(self) -> float:
        """Let one life come to its end; how many seconds it took."""
        began = time.monotonic()
        self.begin()
        assert self.ended() == 0
        return time.monotonic() - began

    def killed(self, seconds: float, number: signal.Signals) -> int:
        """Begin a life, end it by a signal some seconds later, and return its exit code."""
        process = self.begin()
        time.sleep(seconds)
        with contextlib.suppress(ProcessLookupError):  # it was quicker
            os.kill(process, number)
        return self.ended()

    def __enter__(self) -> Lives:
        return self

    def __exit__(self, *_: Any) -> None:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()
