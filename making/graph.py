"""Writing a graph as ComfyUI's page saves it, from what a running ComfyUI tells of its nodes."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

from making.layout import WIDTH, Group, arrange, node_size
from making.widgets import NOTE, kind_of, sockets_of, widgets_of

if TYPE_CHECKING:
    from making.subgraph import Subgraph

Link = tuple[int, int]
# Shorter than the nodes' display names, which are made for the search: a column is no wider than it must be.
TITLES = {
    "SWF_TripleSampler": "Triple Diffusion Sampler",
    "SWF_QueryPreservePatch": "Query-Preserve Patch",
    "SWF_StyleDataset": "Style Dataset",
}


class Graph:
    """A graph that is being written: `add` returns the node's number, and (number, slot) is one of its outputs."""

    def __init__(self, nodes: dict[str, Any], name: str):
        self.node_infos, self.name = nodes, name
        self.nodes: list[dict[str, Any]] = []
        self.links: list[list[Any]] = []
        self.groups: list[Group] = []
        self.current: Group
        self.definitions: list[dict[str, Any]] = []
        self.extra: dict[str, Any] = {}
        self._paragraphs: list[str] = []
        self._first, self._links_before = 1, 0  # numbers of nodes and links are unique in the whole file

    # Placing

    def group(self, title: str, below: bool = False, under: int = 0) -> None:
        """Begin a group, beside the last, or below it or the one of the number `under`; its number comes before its
        title."""
        number = len(self.groups) + 1
        upper = under or (number - 1 if below else 0)
        self.groups.append(Group(number, title, self.groups[upper - 1] if upper else None))
        self.current = self.groups[-1]

    def enter(self, number: int) -> None:
        """Go on in the group of this number."""
        self.current = self.groups[number - 1]

    def column(self) -> None:
        """Go on in another column of the group."""
        if self.current.columns[-1]:
            self.current.columns.append([])

    def note(self, title: str, *paragraphs: str) -> None:
        """Words for whoever opens the graph, above everything else."""
        self._paragraphs = list(paragraphs)
        text = "\n\n".join(f"# {paragraph}" for paragraph in paragraphs)
        self.nodes.append(
            self._blank(NOTE, title) | {"widgets_values": [text], "properties": {}, "color": "#432", "bgcolor": "#653"}
        )

    # Nodes

    def add(self, kind: str, title: str = "", **values: Any) -> int:
        """Add a node to the group; `values` holds those of widgets, and links as (node, slot)."""
        info = self.node_infos[kind]
        defaults, sockets = widgets_of(info), sockets_of(info)
        unknown = values.keys() - {n for n, _ in defaults} - {n for n, _ in sockets}
        assert not unknown, f"{kind} has no {unknown}"
        # A link may also take the place of a widget's value; the page then lists the widget among the inputs.
        wired = sorted(name for name, _ in defaults if isinstance(values.get(name), tuple))
        node = self._blank(kind, title or TITLES.get(kind, ""))
        node["inputs"] = [{"name": name, "type": type_, "link": None} for name, type_ in sockets]
        node["inputs"] += [{"name": n, "type": kind_of(info, n), "link": None, "widget": {"name": n}} for n in wired]
        node["outputs"] = _outputs(list(zip(info["output_name"], info["output"])))
        node["size"] = node_size(kind, info, len(node["inputs"]), len(node["outputs"]), len(defaults))
        node["widgets_values"] = [self._fed(values[n], d) if n in wired else values.get(n, d) for n, d in defaults]
        return self._put(node, values)

    def use(self, inner: Subgraph, title: str = "", **links: Link) -> int:
        """Add a node that stands for a subgraph; `links` feed its inputs by name."""
        if all(known["id"] != inner.id for known in self.definitions):
            self.definitions.append(inner.definition())
        node = self._blank(inner.id, title or inner.name)
        node["properties"] = {"proxyWidgets": []}
        node["inputs"] = [
            {"name": n, "type": t, "link": None} | ({"widget": {"name": n}} if n in inner.dials else {})
            for n, t in inner.inputs
        ]
        node["outputs"] = _outputs([(name, self_type) for name, self_type, _ in inner.outputs])
        node["size"] = [WIDTH, 12 + 20 * max(len(inner.inputs), len(inner.outputs)) + 24 * len(inner.dials)]
        node["widgets_values"] = list(inner.dials.values())
        return self._put(node, links)

    def lower(self, pixels: int) -> None:
        """Make the last node lower: what it shows becomes smaller."""
        self.nodes[-1]["size"][1] -= pixels

    def label(self, node: int, widget: str, text: str) -> None:
        """Another name for a widget, where the page shows it."""
        kind = kind_of(self.node_infos[self._node(node)["type"]], widget)
        slot = {"name": widget, "type": kind, "label": text, "link": None, "widget": {"name": widget}}
        self._node(node)["inputs"].append(slot)

    def needs(self, node: int, name: str, url: str, directory: str) -> None:
        """Say which file a node needs: the page offers to fetch it when it is missing."""
        self._node(node)["properties"]["models"] = [{"name": name, "url": url, "directory": directory}]

    def output_type(self, node: int, slot: int) -> str:
        """The type of a node's output."""
        return self._node(node)["outputs"][slot]["type"]

    # The file

    def file(self) -> str:
        """The graph as ComfyUI's page saves it."""
        note = next((node for node in self.nodes if node["type"] == NOTE), None)
        groups = arrange(self.groups, note, self._paragraphs)
        saved = {
            "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"stylewallfacer/{self.name}")),
            "revision": 0,
            "last_node_id": self._last_id(),
            "last_link_id": self._last_link(),
            "nodes": self.nodes,
            "links": self.links,
            "groups": groups,
            "definitions": {"subgraphs": self.definitions},
            "config": {},
            "extra": self.extra,
            "version": 0.4,
        }
        if not self.definitions:
            del saved["definitions"]
        return json.dumps(saved, indent=1) + "\n"

    def _fed(self, source: Link, default: Any) -> Any:
        """What a widget holds while a link feeds it."""
        return default

    def _last_id(self) -> int:
        inner = [node["id"] for definition in self.definitions for node in definition["nodes"]]
        return max([node["id"] for node in self.nodes] + inner)

    def _last_link(self) -> int:
        inner = [link["id"] for definition in self.definitions for link in definition["links"]]
        return max([link[0] for link in self.links] + inner)

    def _next_link(self) -> int:
        return self._links_before + len(self.links) + 1

    def _node(self, number: int) -> dict[str, Any]:
        return self.nodes[number - self._first]

    def _blank(self, kind: str, title: str) -> dict[str, Any]:
        node = {
            "id": self._first + len(self.nodes),
            "type": kind,
            "pos": [0, 0],
            "size": [0, 0],
            "flags": {},
            "order": len(self.nodes),
            "mode": 0,
            "inputs": [],
            "outputs": [],
            "properties": {"Node name for S&R": kind},
            "widgets_values": [],
        }
        return node | ({"title": title} if title else {})

    def _put(self, node: dict[str, Any], values: dict[str, Any]) -> int:
        for slot, entry in enumerate(node["inputs"]):
            if isinstance(values.get(entry["name"]), tuple):
                entry["link"] = self._link(values[entry["name"]], node["id"], slot)
        self.nodes.append(node)
        self.current.columns[-1].append(node)
        return node["id"]

    def _link(self, source: Link, target: int, slot: int) -> int:
        number = self._next_link()
        self.links.append([number, *source, target, slot, self.output_type(*source)])
        self._node(source[0])["outputs"][source[1]]["links"].append(number)
        return number


def _outputs(named: list[tuple[str, str]]) -> list[dict[str, Any]]:
    return [{"name": n, "type": t, "links": [], "slot_index": i} for i, (n, t) in enumerate(named)]
