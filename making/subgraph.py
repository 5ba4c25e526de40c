"""A few nodes that an artist need not see, as one node of a graph."""

from __future__ import annotations

import uuid
from typing import Any

from making.graph import Graph, Link
from making.layout import GAP, TITLE

SOURCE, SINK = -10, -20  # a subgraph's own inputs and outputs, among the ids of its nodes


class Subgraph(Graph):
    """A few nodes that an artist need not see, as one. Its own inputs are linked by `given(name)`.

    `number`: which of its graph's subgraphs it is; numbers of nodes are unique in the whole file.
    """

    def __init__(self, outer: Graph, name: str, number: int, inputs: dict[str, str]):
        super().__init__(outer.node_infos, name)
        self.inputs, self.outputs = list(inputs.items()), []
        self.dials: dict[str, Any] = {}
        self._labels: dict[str, str] = {}
        self.id = str(uuid.uuid5(uuid.NAMESPACE_URL, f"stylewallfacer/{outer.name}/{name}"))
        self.category, self.description = "", ""
        self._first, self._links_before = 100 * number + 1, 1000 * number
        self._used: dict[str, list[int]] = {name: [] for name in inputs}
        self.group(name)

    def given(self, name: str) -> Link:
        """One of the subgraph's inputs, as a link."""
        return SOURCE, [known for known, _ in self.inputs].index(name)

    def dial(self, name: str, kind: str, value: Any, label: str = "") -> Link:
        """A widget of an inner node that is shown outside, with its value there and another name; as a link."""
        self._labels[name] = label
        self.inputs.append((name, kind))
        self._used[name] = []
        self.dials[name] = value
        return self.given(name)

    def give(self, name: str, output: Link) -> None:
        """Make an inner node's output one of the subgraph's."""
        number = self._next_link()
        kind = self.output_type(*output)
        self.links.append([number, *output, SINK, len(self.outputs), kind])
        self._node(output[0])["outputs"][output[1]]["links"].append(number)
        self.outputs.append((name, kind, number))

    def _fed(self, source: Link, default: Any) -> Any:
        return self.dials.get(self.inputs[source[1]][0], default) if source[0] == SOURCE else default

    def output_type(self, node: int, slot: int) -> str:
        return self.inputs[slot][1] if node == SOURCE else super().output_type(node, slot)

    def _link(self, source: Link, target: int, slot: int) -> int:
        if source[0] != SOURCE:
            return super()._link(source, target, slot)
        number = self._next_link()
        self.links.append([number, *source, target, slot, self.output_type(*source)])
        self._used[self.inputs[source[1]][0]].append(number)
        return number

    def definition(self) -> dict[str, Any]:
        """The subgraph as the page saves it."""
        group = self.groups[0]
        group.place(0, 0)
        keys = ("id", "origin_id", "origin_slot", "target_id", "target_slot", "type")
        saved = {
            "id": self.id,
            "version": 1,
            "state": {
                "lastGroupId": 0,
                "lastNodeId": self._last_id(),
                "lastLinkId": self._last_link(),
                "lastRerouteId": 0,
            },
            "revision": 0,
            "config": {},
            "name": self.name,
            "inputNode": {"id": SOURCE, "bounding": [-180, TITLE, 120, 40 + 20 * len(self.inputs)]},
            "outputNode": {"id": SINK, "bounding": [group.width + 2 * GAP, TITLE, 120, 40 + 20 * len(self.outputs)]},
            "inputs": [self._input(name, kind) for name, kind in self.inputs],
            "outputs": [
                {"id": self._slot_id("out", n), "name": n, "type": t, "linkIds": [link]} for n, t, link in self.outputs
            ],
            "widgets": [],
            "nodes": self.nodes,
            "groups": [],
            "links": [dict(zip(keys, link)) for link in self.links],
            "extra": {},
        }
        told = {"category": self.category, "description": self.description}
        return saved | {key: text for key, text in told.items() if text}

    def _input(self, name: str, kind: str) -> dict[str, Any]:
        slot = {"id": self._slot_id("in", name), "name": name, "type": kind, "linkIds": self._used[name]}
        return slot | ({"label": self._labels[name]} if self._labels.get(name) else {})

    def _slot_id(self, side: str, name: str) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self.id}/{side}/{name}"))
