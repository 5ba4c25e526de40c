"""Where nodes, groups and notes stand, so that a whole graph is read at the zoom at which a page opens it.

Pages of all versions fit a template's nodes into three quarters of their window, whatever view its file holds. In a
window of 1600 x 1000 a title of 14 pixels is drawn with nine or more where nodes fill `WIDEST` x `HIGHEST` units.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Any

from making.widgets import long_texts

WIDEST, HIGHEST = 1765, 1050
TITLE, HEADER, PADDING, GAP = 30, 44, 16, 16
NOTE_FONT = 20  # a first heading: the one text of a note that every version draws large enough
# What nodes show beneath their widgets, and the width that it asks for.
SHOWN = {
    "SaveImage": (270, 220),
    "PreviewImage": (260, 170),
    "LoadImage": (260, 214),
    "PreviewAny": (260, 90),
    "SWF_BlipCaption": (300, 150),
    "SWF_StyleStrip": (300, 150),
    "SWF_ColorEdit": (300, 60),
    "SWF_FeedbackGallery": (400, 290),
}
WIDTH = 260
# Vue nodes are taller than the classic ones, most of all those that have nothing but sockets.
TALLER_IN_VUE = 14
GROWS = {"SWF_StyleMix", "SWF_MiniLoader", "CheckpointLoaderSimple", "ControlNetLoader"}


def node_size(kind: str, info: dict[str, Any], sockets: int, outputs: int, widgets: int) -> list[int]:
    """Width and height of a node, as the page would lay it out."""
    wide, shown = SHOWN.get(kind, (WIDTH, 0))
    return [wide, 14 + 20 * max(sockets, outputs) + 24 * widgets + 60 * long_texts(info) + shown]


def note_height(paragraphs: list[str], width: int) -> int:
    """The height of a note of this width."""
    a_line = (width - 36) / (0.52 * NOTE_FONT)
    texts = [re.sub(r"\]\([^)]*\)", "", text) for text in paragraphs]  # a link shows its name alone
    lines = sum(math.ceil(len(text) / a_line) for text in texts)
    return 44 + 25 * lines + 14 * (len(texts) - 1)


@dataclass
class Group:
    """Nodes under a numbered title, in columns; `upper`: the group that it stands below, None to stand beside."""

    number: int
    title: str
    upper: Group | None
    columns: list[list[dict[str, Any]]] = field(default_factory=lambda: [[]])

    @property
    def width(self) -> int:
        columns = [max((node["size"][0] for node in column), default=WIDTH) for column in self.columns]
        return sum(columns) + GAP * (len(columns) - 1) + 2 * PADDING

    @property
    def height(self) -> int:
        columns = [sum(map(_taken, column)) for column in self.columns]
        return HEADER + max(columns, default=0) - GAP + 2 * PADDING

    def place(self, x: int, y: int) -> None:
        """Put its nodes where they stand when its corner is at this point."""
        for column in self.columns:
            top = y + HEADER + PADDING
            for node in column:
                node["pos"] = [x + PADDING, top + TITLE]
                top += _taken(node)
            x += max((node["size"][0] for node in column), default=WIDTH) + GAP

    def saved(self, x: int, y: int, width: int) -> dict[str, Any]:
        """It as the page saves it."""
        return {
            "id": self.number,
            "title": f"{self.number} {self.title}",
            "bounding": [x, y, width, self.height],
            "color": "#3f789e",
            "font_size": 24,
            "flags": {},
        }


def _taken(node: dict[str, Any]) -> int:
    """What a node takes of its column's height."""
    grows = node["type"] in GROWS or "proxyWidgets" in node["properties"]
    return TITLE + node["size"][1] + GAP + (TALLER_IN_VUE if grows else 0)


def arrange(groups: list[Group], note: dict[str, Any] | None, paragraphs: list[str]) -> list[dict[str, Any]]:
    """Place the note top left and the groups below and beside it; the groups as the page saves them."""
    stacks: list[list[Group]] = []
    for group in groups:
        if group.upper is None:
            stacks.append([group])
        else:
            next(stack for stack in stacks if group.upper in stack).append(group)
    widths = [max(group.width for group in stack) for stack in stacks]
    top = -TITLE
    if note is not None:
        note["pos"], note["size"] = [0, 0], [widths[0], note_height(paragraphs, widths[0])]
        top = note["size"][1] + GAP
    saved, x = [], 0
    for stack, width in zip(stacks, widths):
        y = top
        for group in stack:
            group.place(x, y)
            saved.append(group.saved(x, y, width))
            y += group.height + GAP
        x, top = x + width + GAP, -TITLE
    return sorted(saved, key=lambda group: group["id"])
