"""The subgraph blueprint "Style Transfer", which newer ComfyUI finds in subgraphs/ and lists among the nodes."""

from __future__ import annotations

import json
import uuid
from typing import Any

from making.graph import Graph
from making.subgraph import Subgraph

NAME = "Style Transfer"
ABOUT = "Repaints the content picture in the style of the style picture, with any SD1.x, SD2.x, SDXL model or mini."
ALIASES = ["stylewallfacer", "stylize", "repaint", "style from image"]
# What an artist turns: these widgets of Triple Diffusion Sampler stand on the blueprint's node.
DIALS = {"query_preservation": "FLOAT", "colour_from_style": "FLOAT", "steps": "INT", "size": "INT"}


def blueprint_file(nodes: dict[str, Any]) -> str:
    """The blueprint's text; `nodes` is what a ComfyUI answers to /object_info."""
    outer = Graph(nodes, f"blueprint/{NAME}")
    outer.group(NAME)
    inputs = {"model": "MODEL", "clip": "CLIP", "vae": "VAE", "content": "IMAGE", "style": "IMAGE"}
    inner = Subgraph(outer, NAME, 1, inputs)
    inner.category, inner.description = "StyleWallfacer", ABOUT
    plain = nodes["SWF_TripleSampler"]["input"]
    specs = plain["required"] | plain["optional"]
    dials = {
        name: inner.dial(name, kind, specs[name][1]["default"], specs[name][1].get("display_name", ""))
        for name, kind in DIALS.items()
    }
    given = {name: inner.given(name) for name in inputs}
    repainted = inner.add("SWF_TripleSampler", **given, **dials)
    inner.column()
    decoded = inner.add("VAEDecode", samples=(repainted, 0), vae=inner.given("vae"))
    inner.give("IMAGE", (decoded, 0))
    node = outer.use(inner)
    saved = {
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"stylewallfacer/{outer.name}")),
        "revision": 0,
        "last_node_id": max([node, *(n["id"] for n in inner.nodes)]),
        "last_link_id": 0,
        "nodes": outer.nodes,
        "links": [],
        "groups": [],
        "definitions": {"subgraphs": outer.definitions},
        "config": {},
        "extra": {"BlueprintDescription": ABOUT, "BlueprintSearchAliases": ALIASES},
        "version": 0.4,
    }
    return json.dumps(saved, indent=1) + "\n"
