"""Writing a graph as ComfyUI's page saves it, from what a running ComfyUI tells of its nodes."""

from __future__ import annotations

import json
from typing import Any

WIDGETS = {"INT", "FLOAT", "STRING", "BOOLEAN", "COMBO"}
Link = tuple[int, int]


def widgets_of(info: dict[str, Any]) -> list[tuple[str, Any]]:
    """Names and defaults of a node's widgets in the order in which a graph's file holds their values.

    The front end adds one after a seed ("control_after_generate") and one after an upload, under no name of the node.
    """
    widgets: list[tuple[str, Any]] = []
    for group in ("required", "optional"):
        for name, (kind, *rest) in info["input"].get(group, {}).items():
            spec = rest[0] if rest else {}
            options = kind if isinstance(kind, list) else spec.get("options") if kind == "COMBO" else None
            if (options is None and kind not in WIDGETS) or spec.get("forceInput"):
                continue
            empty = "" if options is not None else {"STRING": "", "BOOLEAN": False}.get(kind, 0)
            default = spec.get("default", options[0] if options else empty)
            widgets.append((name, default))
            if spec.get("control_after_generate", kind == "INT" and name in ("seed", "noise_seed")):
                widgets.append(("control_after_generate", "fixed"))
            if spec.get("image_upload"):
                widgets.append(("upload", "image"))
    return widgets


def sockets_of(info: dict[str, Any]) -> list[tuple[str, str]]:
    """Names and types of a node's inputs that are no widgets."""
    widgets = {name for name, _ in widgets_of(info)}
    both = [*info["input"].get("required", {}).items(), *info["input"].get("optional", {}).items()]
    return [(name, spec[0]) for name, spec in both if name not in widgets]


class Graph:
    """A graph that is being written: `add` returns the node's number, and (number, slot) is one of its outputs."""

    def __init__(self, nodes: dict[str, Any]):
        self.node_infos, self.nodes, self.links, self.groups = nodes, [], [], []

    def add(self, kind: str, column: int, row: int, title: str = "", **values: Any) -> int:
        """Place a node; `values` holds those of widgets, and links as (node, slot)."""
        number = len(self.nodes) + 1
        info = self.node_infos[kind]
        defaults, sockets = widgets_of(info), sockets_of(info)
        unknown = values.keys() - {n for n, _ in defaults} - {n for n, _ in sockets}
        assert not unknown, f"{kind} has no {unknown}"
        inputs: list[dict[str, Any]] = []
        # A link may also take the place of a widget's value; the page then lists the widget among the inputs.
        wired = {name for name, _ in defaults if isinstance(values.get(name), tuple)}
        kinds = {n: k for group in info["input"].values() for n, (k, *_) in group.items()}
        for slot, (name, kind_of) in enumerate([*sockets, *((name, kinds[name]) for name in sorted(wired))]):
            link = None
            if name in values:
                link = len(self.links) + 1
                source, output = values[name]
                self.links.append([link, source, output, number, slot, self.output_type(source, output)])
                self.nodes[source - 1]["outputs"][output]["links"].append(link)
            inputs.append({"name": name, "type": kind_of, "link": link})
            if name in wired:
                inputs[-1]["widget"] = {"name": name}
        outputs = [
            {"name": name, "type": type_, "links": [], "slot_index": i}
            for i, (name, type_) in enumerate(zip(info["output_name"], info["output"]))
        ]
        high = 10 + 20 * max(len(inputs), len(outputs)) + 24 * len(defaults)  # as the page lays nodes out
        high += {"CLIPTextEncode": 100, "SaveImage": 200, "PreviewImage": 200, "LoadImage": 200}.get(kind, 0)
        high += {"SWF_BlipCaption": 240, "SWF_StyleStrip": 240, "SWF_FeedbackGallery": 400}.get(kind, 0)
        high += {"PreviewAny": 80, "SWF_ColorEdit": 200}.get(kind, 0)
        wide = 620 if kind == "SWF_FeedbackGallery" else 320
        node = {
            "id": number,
            "type": kind,
            "pos": [40 + 380 * column, 60 + row],
            "size": [wide, high],
            "flags": {},
            "order": number - 1,
            "mode": 0,
            "inputs": inputs,
            "outputs": outputs,
            "properties": {"Node name for S&R": kind},
            "widgets_values": [d if n in wired else values.get(n, d) for n, d in defaults],
        }
        self.nodes.append(node | ({"title": title} if title else {}))
        return number

    def note(self, text: str, column: int, row: int, size: tuple[int, int] = (320, 160)) -> None:
        """Words for whoever opens the graph."""
        self.nodes.append(
            {
                "id": len(self.nodes) + 1,
                "type": "MarkdownNote",
                "pos": [40 + 380 * column, 60 + row],
                "size": list(size),
                "flags": {},
                "order": len(self.nodes),
                "mode": 0,
                "inputs": [],
                "outputs": [],
                "properties": {},
                "widgets_values": [text],
                "color": "#432",
                "bgcolor": "#653",
            }
        )

    def needs(self, node: int, name: str, url: str, directory: str) -> None:
        """Say which file a node needs: the page offers to fetch it when it is missing."""
        self.nodes[node - 1]["properties"]["models"] = [{"name": name, "url": url, "directory": directory}]

    def output_type(self, node: int, slot: int) -> str:
        """The type of a node's output."""
        return self.nodes[node - 1]["outputs"][slot]["type"]

    def file(self) -> str:
        """The graph as ComfyUI's page saves it."""
        return (
            json.dumps(
                {
                    "id": "00000000-0000-4000-8000-000000000000",
                    "revision": 0,
                    "last_node_id": len(self.nodes),
                    "last_link_id": len(self.links),
                    "nodes": self.nodes,
                    "links": self.links,
                    "groups": self.groups,
                    "config": {},
                    "extra": {},
                    "version": 0.4,
                },
                indent=1,
            )
            + "\n"
        )
