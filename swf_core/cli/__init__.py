"""The command line's frame: which verbs there are, and how each one ends.

A verb module offers `add(verbs)`, which declares its options, and `run(args, bar) -> dict`, which does the work and
returns what it did and measured. Nothing heavy is imported before `run`, so that `--help` is instant.
Exit codes: 0 done; 1 a batch of which some pictures failed; 2 and one sentence on stderr for what a person can put
right; 130 after Ctrl-C, 143 after SIGTERM.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import os
import sys
from collections.abc import Sequence
from typing import Any

from . import bench, cache, caption, demo, film, mini, pick, pictures, recolor, sample, strip, stylize, train
from .arguments import Parser
from .progress import Bars
from .stopping import exit_code, stoppable

VERBS = (demo, stylize, film, sample, recolor, caption, strip, train, pick, bench, pictures, cache, mini)


def parser() -> Parser:
    """Return the whole command line."""
    top = Parser(prog="python -m swf_core", description="Repaint pictures in the style of other pictures.")
    verbs = top.add_subparsers(dest="verb", metavar="VERB", required=True, parser_class=Parser)
    for verb in VERBS:
        verb.add(verbs)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb and return the exit code."""
    args = parser().parse_args(argv)
    # These libraries read it when they are imported: no network but for a download that was asked for, no chatter.
    if not getattr(args, "download", False):
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("DIFFUSERS_VERBOSITY", "error")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    bars = Bars()
    try:
        with stoppable():
            report = args.run(args, bars)
    except (ValueError, OSError) as error:  # UserError, the checks of options further down, a file that is in the way
        bars.close()
        sentence = " ".join(str(error).split())
        print(f"{args.verb}: {sentence}", file=sys.stderr)
        return 2
    except KeyboardInterrupt as stop:
        with contextlib.suppress(OSError):  # the terminal may be gone
            bars.close()
            print(f"{args.verb}: stopped.", file=sys.stderr)
        return exit_code(stop)
    bars.close()
    code = report.pop("exit", 0)
    if args.json:
        print(json.dumps(_plain({"verb": args.verb, **report}), allow_nan=False), flush=True)
    else:
        for line in report.get("written", []):
            print(line, flush=True)
    return code


def _plain(value: Any) -> Any:
    """Bring a report to what JSON knows: data classes as objects, paths and infinities as text."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    item = getattr(value, "item", None)
    if not isinstance(value, bool | int | float | str) and callable(item):
        value = item()  # a number of numpy's or torch's
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
