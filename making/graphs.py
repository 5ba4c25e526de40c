"""The shipped graphs, from their stories: every story by its name, and the graph's file as it must be.

Slots, widgets and defaults come from a running ComfyUI, so that a graph always fits the nodes.
"""

from __future__ import annotations

from typing import Any

from making import colors, learning, on_mini, on_sd15
from making.graph import Graph

STORIES = on_mini.STORIES | on_sd15.STORIES | learning.STORIES | colors.STORIES


def graph_files(nodes: dict[str, Any]) -> dict[str, str]:
    """Every graph's text by its name; `nodes` is what a ComfyUI answers to /object_info."""
    files = {}
    for name, story in STORIES.items():
        graph = Graph(nodes)
        story(graph)
        files[name] = graph.file()
    return files
