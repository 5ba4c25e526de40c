"""The command line, called in this process or in one of its own.

A process of its own imports torch and transformers again, which costs seconds; it is for what only a process shows:
signals, exit codes, instant help, and that the libraries below add no line of theirs.
"""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from pathlib import Path
from unittest import mock

from swf_core.cli import main

ROOT = Path(__file__).resolve().parents[2]


def process_arguments(*arguments) -> dict:
    """What `subprocess` needs to start the command line."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}
    return {"args": [sys.executable, "-m", "swf_core", *map(str, arguments)], "env": environment}


def swf_process(*arguments, stdin: str = "", cwd=ROOT) -> subprocess.CompletedProcess:
    """Run the command line in a process of its own, by default in the repository's root."""
    started = process_arguments(*arguments)
    return subprocess.run(**started, cwd=cwd, input=stdin, capture_output=True, text=True, encoding="utf-8")


def swf(*arguments, stdin: str = "") -> subprocess.CompletedProcess:
    """Call the command line in this process; the environment is afterwards as it was."""
    argv = [str(argument) for argument in arguments]
    output, errors = io.StringIO(), io.StringIO()
    with (
        contextlib.redirect_stdout(output),
        contextlib.redirect_stderr(errors),
        mock.patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode()), encoding="utf-8")),
        mock.patch.dict(os.environ),
    ):
        try:
            code = main(argv)
        except SystemExit as stop:
            code = stop.code
    return subprocess.CompletedProcess(argv, code, output.getvalue(), errors.getvalue())


def files_under(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))
