"""The command line: `python -m swf_core VERB`. Verbs live in `cli/`, one file each."""

from __future__ import annotations

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
