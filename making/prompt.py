"""What the page would send for a saved graph: inputs by name, from links and from the widgets in their order."""

from __future__ import annotations

from typing import Any

from making.subgraph import SINK, SOURCE
from making.widgets import NOTE, widgets_of

Prompt = dict[str, dict[str, Any]]
NO_NODES = {NOTE, "Note"}


def prompt_of(graph: dict[str, Any], nodes: dict[str, Any]) -> Prompt:
    """A saved graph in API format; nodes in subgraphs are named OUTER:INNER, as the page names them.

    `nodes` is what a ComfyUI answers to /object_info. A graph from before a widget was added leaves it at its default.
    """
    inner = {definition["id"]: definition for definition in graph.get("definitions", {}).get("subgraphs", ())}
    return _Flattening(inner, nodes).of(graph, "", {})


class _Flattening:
    def __init__(self, inner: dict[str, Any], nodes: dict[str, Any]):
        self.inner, self.nodes = inner, nodes

    def of(self, graph: dict[str, Any], prefix: str, given: dict[int, Any]) -> Prompt:
        """The nodes of a graph or subgraph; `given` are a subgraph's inputs by slot, links or values."""
        links = {link[0]: link for link in map(_as_list, graph["links"])}
        out: Prompt = {}
        for node in graph["nodes"]:
            if node["type"] in NO_NODES:
                continue
            name = f"{prefix}{node['id']}"
            fed = {}
            for slot in node["inputs"]:
                source = None if slot["link"] is None else self._source(graph, links[slot["link"]], prefix, given)
                if source is not None:  # a subgraph's input may have nothing connected
                    fed[slot["name"]] = source
            definition = self.inner.get(node["type"])
            if definition is None:
                out[name] = {"class_type": node["type"], "inputs": self._inputs(node, fed)}
            else:
                dials = [slot["name"] for slot in node["inputs"] if "widget" in slot]
                fed = dict(zip(dials, node["widgets_values"])) | fed
                slots = {i: fed[e["name"]] for i, e in enumerate(definition["inputs"]) if e["name"] in fed}
                out |= self.of(definition, f"{name}:", slots)
        return out

    def _inputs(self, node: dict[str, Any], fed: dict[str, Any]) -> dict[str, Any]:
        widgets = widgets_of(self.nodes[node["type"]])
        if len(node["widgets_values"]) > len(widgets):
            raise ValueError(f"{node['type']} has {len(widgets)} widgets, the graph has values for more")
        values = dict(widgets) | {name: value for (name, _), value in zip(widgets, node["widgets_values"])}
        return {k: v for k, v in values.items() if k not in ("control_after_generate", "upload")} | fed

    def _source(self, graph: dict[str, Any], link: list[Any], prefix: str, given: dict[int, Any]) -> Any:
        """Where a link comes from, followed out of a subgraph and into another: [node, slot], or a widget's value."""
        _, origin, slot, *_ = link
        if origin == SOURCE:
            return given.get(slot)
        node = next(n for n in graph["nodes"] if n["id"] == origin)
        definition = self.inner.get(node["type"])
        if definition is None:
            return [f"{prefix}{origin}", slot]
        last = next(l for l in map(_as_list, definition["links"]) if l[3] == SINK and l[4] == slot)
        return self._source(definition, last, f"{prefix}{origin}:", {})


def _as_list(link: Any) -> list[Any]:
    """A link of a graph, or of a subgraph, which is saved with names."""
    if isinstance(link, list):
        return link
    return [link[k] for k in ("id", "origin_id", "origin_slot", "target_id", "target_slot", "type")]
