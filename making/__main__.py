"""Make the shipped graphs anew: `python -m making`, in a ComfyUI that it starts itself."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))


def main() -> int:
    """Write every story's graph."""
    from making.graphs import graph_files

    from support.comfy_host import find, free_port, new_base, serve

    host = find()
    if isinstance(host, str):
        print(f"Nothing was made: {host}.", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        server, process = serve(host, new_base(Path(folder)), free_port())
        try:
            nodes = server.get("/object_info")
        finally:
            process.terminate()
            process.wait(30)
    for name, text in graph_files(nodes).items():
        (ROOT / "workflows" / f"{name}.json").write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
