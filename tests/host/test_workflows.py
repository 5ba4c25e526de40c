"""Every shipped graph on mini runs as it is, in a ComfyUI that has nothing but this pack."""

from __future__ import annotations

import importlib.util
import json
import time
from pathlib import Path

import pytest
from PIL import Image, ImageStat

from comfy_server import Server

FOLDER = Path(__file__).resolve().parents[2] / "workflows"
GRAPHS = sorted(p.stem for p in FOLDER.glob("mini *.json"))


def maker():
    spec = importlib.util.spec_from_file_location("swf_workflows_make", FOLDER / "make.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def prompt(graph: dict, nodes: dict) -> dict:
    """What the page would send for a saved graph: inputs by name, from links and from the widgets in their order."""
    links = {link[0]: (str(link[1]), link[2]) for link in graph["links"]}
    out = {}
    for node in graph["nodes"]:
        if node["type"] == "MarkdownNote":
            continue
        names = [name for name, _ in maker().widgets_of(nodes[node["type"]])]
        assert len(names) == len(node["widgets_values"]), node["type"]
        inputs = dict(zip(names, node["widgets_values"]))
        inputs = {k: v for k, v in inputs.items() if k not in ("control_after_generate", "upload")}
        inputs |= {i["name"]: list(links[i["link"]]) for i in node["inputs"] if i["link"] is not None}
        out[str(node["id"])] = {"class_type": node["type"], "inputs": inputs}
    return out


def test_there_are_graphs():
    assert len(GRAPHS) >= 6


@pytest.mark.parametrize("name", GRAPHS)
def test_a_graph_runs(server: Server, name):
    graph = json.loads((FOLDER / f"{name}.json").read_text())
    nodes = server.get("/object_info")
    kinds = {node["type"] for node in graph["nodes"]} - {"MarkdownNote"}
    assert kinds <= nodes.keys()
    foreign = {k for k in kinds if not k.startswith("SWF_") and nodes[k]["python_module"].startswith("custom_nodes")}
    assert not foreign
    began = time.monotonic()
    pictures = server.pictures(server.run(prompt(graph, nodes)))
    seconds = time.monotonic() - began
    result = [p for p in pictures if p.parent.name == "StyleWallfacer"]
    assert result, pictures
    assert max(ImageStat.Stat(Image.open(result[-1])).stddev) > 10  # a picture, not a plain field
    if name == "mini style transfer":
        assert seconds < 60
