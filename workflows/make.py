"""Make the shipped graphs anew from their stories.

python workflows/make.py http://127.0.0.1:8188

Slots, widgets and defaults come from a running ComfyUI, so that a graph always fits the nodes.
"""

from __future__ import annotations

import json
import sys
import urllib.request
from pathlib import Path

import colors
import learning
import on_mini
import on_sd15
from graph import Graph


def main(url: str) -> None:
    """Write every story's graph beside this file."""
    with urllib.request.urlopen(f"{url}/object_info", timeout=60) as response:
        nodes = json.load(response)
    stories = on_mini.STORIES | on_sd15.STORIES | learning.STORIES | colors.STORIES
    for name, story in stories.items():
        graph = Graph(nodes)
        story(graph)
        Path(__file__).with_name(f"{name}.json").write_text(graph.file(), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1].rstrip("/"))
