"""Every shipped graph on mini runs as it is, in a ComfyUI that has nothing but this pack."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from PIL import Image, ImageStat

from making.graph import widgets_of

from support.comfy_server import Server

FOLDER = Path(__file__).resolve().parents[2] / "workflows"
GRAPHS = sorted(p.stem for p in FOLDER.glob("mini *.json"))
LARGE = sorted(p.stem for p in FOLDER.glob("SD1.5 *.json"))
OLD = sorted((Path(__file__).parent / "old_graphs").glob("*.json"))


def prompt(graph: dict, nodes: dict) -> dict:
    """What the page would send for a saved graph: inputs by name, from links and from the widgets in their order."""
    links = {link[0]: (str(link[1]), link[2]) for link in graph["links"]}
    out = {}
    for node in graph["nodes"]:
        if node["type"] == "MarkdownNote":
            continue
        widgets = widgets_of(nodes[node["type"]])
        assert len(node["widgets_values"]) <= len(widgets), node["type"]
        # a graph from before a widget was added leaves it at its default
        inputs = dict(widgets) | {name: value for (name, _), value in zip(widgets, node["widgets_values"])}
        inputs = {k: v for k, v in inputs.items() if k not in ("control_after_generate", "upload")}
        inputs |= {i["name"]: list(links[i["link"]]) for i in node["inputs"] if i["link"] is not None}
        out[str(node["id"])] = {"class_type": node["type"], "inputs": inputs}
    return out


def test_every_story_has_a_graph_on_mini_and_on_a_large_model():
    assert len(GRAPHS) >= 6 and len(LARGE) == len(GRAPHS)


@pytest.mark.parametrize("path", OLD, ids=lambda path: path.stem)
def test_a_graph_saved_with_an_older_version_still_runs(server: Server, path):
    graph = json.loads(path.read_text())
    assert server.pictures(server.run(prompt(graph, server.get("/object_info"))))


@pytest.mark.parametrize("linked", [False, True], ids=["typed", "linked"])
def test_an_old_graphs_colour_from_style_still_counts(server: Server, linked):
    graph = json.loads((Path(__file__).parent / "old_graphs" / "2026-11 recolour by palette.json").read_text())
    (node,) = (n for n in graph["nodes"] if n["type"] == "SWF_TripleSampler")
    node["widgets_values"][-1] = 0.25
    if linked:  # as the page saves a widget that a link feeds
        link = graph["last_link_id"] + 1
        graph["links"].append([link, 1000, 0, node["id"], len(node["inputs"]), "FLOAT"])
        widget = {"name": "colour_from_style", "type": "FLOAT", "link": link, "widget": {"name": "colour_from_style"}}
        node["inputs"].append(widget)
        graph["nodes"].append({"id": 1000, "type": "PrimitiveFloat", "inputs": [], "widgets_values": [0.25]})
    inputs = prompt(graph, server.get("/object_info"))
    assert inputs[str(node["id"])]["inputs"]["colour_from_style"] == (["1000", 0] if linked else 0.25)
    assert server.pictures(server.run(inputs))


@pytest.mark.parametrize("name", LARGE)
def test_a_graph_for_a_large_model_has_nothing_missing_but_its_files(server: Server, name):
    """It cannot run without gigabytes; the host must find nothing wrong with it but files that are not there."""
    graph, nodes = json.loads((FOLDER / f"{name}.json").read_text()), server.get("/object_info")
    kinds = {node["type"] for node in graph["nodes"]} - {"MarkdownNote"}
    assert kinds <= nodes.keys() and any("http" in str(n["widgets_values"]) for n in graph["nodes"])
    files = {m["name"] for n in graph["nodes"] for m in n["properties"].get("models", ())}
    with pytest.raises(AssertionError) as refused:
        server.queue(prompt(graph, nodes))
    refusal = json.loads(str(refused.value))
    errors = [e for node in refusal["node_errors"].values() for e in node["errors"]]
    values = {e["extra_info"].get("received_value") for e in errors if e["type"] == "value_not_in_list"}
    others = {e["extra_info"].get("input_name") for e in errors if e["type"] != "value_not_in_list"}
    assert errors and values <= files and others <= {"image"}, refusal


@pytest.mark.parametrize("name", GRAPHS)
def test_a_graph_runs(server: Server, name):
    graph = json.loads((FOLDER / f"{name}.json").read_text())
    nodes = server.get("/object_info")
    kinds = {node["type"] for node in graph["nodes"]} - {"MarkdownNote"}
    assert kinds <= nodes.keys()
    foreign = {k for k in kinds if not k.startswith("SWF_") and nodes[k]["python_module"].startswith("custom_nodes")}
    assert not foreign
    start = time.monotonic()
    pictures = server.pictures(server.run(prompt(graph, nodes)))
    seconds = time.monotonic() - start
    result = [p for p in pictures if p.parent.name == "StyleWallfacer"]
    assert result, pictures
    assert max(ImageStat.Stat(Image.open(result[-1])).stddev) > 10  # a picture, not a plain field
    if name == "mini style transfer":
        assert seconds < 60
