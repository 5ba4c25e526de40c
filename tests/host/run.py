"""`make test-host`: run the tests that need a real ComfyUI and keep their results. run.py RESULT [PYTEST ARGS]."""

from __future__ import annotations

import datetime
import platform
import re
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from support.browser import NEWEST
from support.comfy_host import ROOT, find
from support.frontend_table import frontend_table, version_in
from support.host_record import digest


def main() -> int:
    target, extra = Path(sys.argv[1]), sys.argv[2:]
    host = find()
    if isinstance(host, str):
        print(f"The host tests did not run: {host}.", file=sys.stderr)
        return 1
    # With pytest in its own environment the tests run there, else here; either way it is started by its own Python.
    python = host.python if host.run("-c", "import pytest").returncode == 0 else sys.executable
    command = [python, "-m", "pytest", str(ROOT / "tests"), "-m", "host", "-v", "-p", "no:cacheprovider", *extra]
    tested = digest()  # before the run: what is changed meanwhile was not tested
    output = []
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        for line in process.stdout or ():  # half an hour: what is known is shown at once
            print(line, end="", flush=True)
            output.append(line.rstrip("\n"))
    probe = (
        "import sys; sys.path.insert(0, '.'); from importlib.metadata import version; import torch;"
        "from comfyui_version import __version__;"
        "print(f'ComfyUI {__version__}, frontend {version(\"comfyui-frontend-package\")}, torch {torch.__version__}')"
    )
    versions = host.run("-c", probe).stdout.strip().splitlines()[-1]
    outcome = re.compile(r"^(?:\S*tests/)?(\S+::\S+.*?) (PASSED|FAILED|ERROR|SKIPPED)\b(.*?)\s*(?:\[ *\d+%\])?$")
    lines = [f"{m[2]:8} {m[1]}{m[3]}" for line in output if (m := outcome.match(line))]
    summary = [line.strip("= ") for line in output if re.search(r"=+ .*\d+ \w+.* in [\d.]+s", line)]
    git = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    head = [
        "The last run of `make test-host`: the tests that start a real ComfyUI.",
        f"{datetime.date.today()}, {versions}, Python {platform.python_version()}, {platform.system()}"
        + (f"; asked for: {' '.join(extra)}" if extra else ""),
        f"after commit {git.stdout.strip() or 'unknown'}; nodes/ and web/: {tested}",
    ]
    own = re.search(r"frontend ([\w.]+)", versions)
    pages = frontend_table(lines, {"own": own[1] if own else "unknown", "newest": version_in(NEWEST)})
    target.write_text("\n".join([*head, "", *pages, "", *lines, "", *summary[-1:]]) + "\n", encoding="utf-8")
    return process.returncode


if __name__ == "__main__":
    sys.exit(main())
