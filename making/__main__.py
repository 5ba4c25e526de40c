"""Make graphs, blueprint, thumbnails, help pages and locales anew: `python -m making`; `--check` says what is stale.

It starts a ComfyUI itself, looked for as the host tests look for it (tests/support/comfy_host.py). A thumbnail is
painted again where what its graph runs has changed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from making import help_pages, locales, thumbnails  # noqa: E402
from making.runs import Runs  # noqa: E402
from making.schemas import node_schemas  # noqa: E402
from making.shipped import WORKFLOWS, origins, stale, texts  # noqa: E402

from support.comfy_host import Host, find, free_port, new_base, serve  # noqa: E402
from support.comfy_server import Server  # noqa: E402
from support.graph_files import put_example  # noqa: E402


@contextmanager
def comfyui(host: Host) -> Iterator[Server]:
    """A fresh ComfyUI with this pack and the one picture that every ComfyUI has."""
    with tempfile.TemporaryDirectory() as folder:
        base = new_base(Path(folder))
        put_example(host, base)
        server, process = serve(host, base, free_port())
        try:
            yield server
        finally:
            process.terminate()
            process.wait(30)


def main() -> int:
    """Write what is stale, or say it."""
    parser = argparse.ArgumentParser(prog="python -m making", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; say what is not up to date")
    parser.add_argument("--all", action="store_true", help="paint every thumbnail again")
    options = parser.parse_args()
    host = find()
    if isinstance(host, str):
        print(f"Nothing was made: {host}.", file=sys.stderr)
        return 1
    with comfyui(host) as server:
        nodes = server.get("/object_info")
        files = texts(nodes)
        wanted = origins(files, nodes)
        if not options.check:
            for path, text in files.items():
                path.parent.mkdir(exist_ok=True)
                path.write_text(text, encoding="utf-8")
            due = {p: o for p, o in wanted.items() if options.all or thumbnails.comment_of(p) != o[1]}
            Runs(server, nodes, WORKFLOWS).paint(due)
    schemas = node_schemas()
    if not options.check:
        locales.write(schemas)
        help_pages.write(schemas)
    wrong = stale(files, wanted) + locales.check(schemas) + help_pages.check(schemas)
    print("\n".join(wrong) or "Graphs, blueprint, thumbnails, help pages and locales are up to date.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
