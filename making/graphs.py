"""The shipped graphs, from their stories: every story by its name, and the graph's file as it must be.

Slots, widgets and defaults come from a running ComfyUI, so that a graph always fits the nodes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from making import colors, learning, transfer
from making.graph import Graph
from making.start import CheckpointStart, MiniStart, Start

Story = Callable[[type[Start], Graph], None]
STORIES: dict[str, Story] = dict(sorted((transfer.STORIES | colors.STORIES | learning.STORIES).items()))
# Names sort as the stories are numbered, the embedded model's before its twin for a large model.
TOLD: dict[str, tuple[Story, type[Start]]] = {
    f"{name}, {family.family}": (story, family)
    for name, story in STORIES.items()
    for family in (MiniStart, CheckpointStart)
} | {f"{name}, {MiniStart.family}": (story, MiniStart) for name, story in transfer.APPS.items()}


def graph_files(nodes: dict[str, Any]) -> dict[str, str]:
    """Every graph's text by its name; `nodes` is what a ComfyUI answers to /object_info."""
    files = {}
    for name, (story, family) in TOLD.items():
        graph = Graph(nodes, name)
        story(family, graph)
        files[name] = graph.file()
    return files
