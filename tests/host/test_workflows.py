"""Every shipped graph on mini runs as it is, in a ComfyUI that has nothing but this pack."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from PIL import Image, ImageStat

from making.prompt import prompt_of
from making.shipped import SUBGRAPHS, WORKFLOWS, origins, stale, texts

from support.comfy_server import Server
from support.graph_files import put_example

GRAPHS = sorted(p.stem for p in WORKFLOWS.glob("*, mini.json"))
LARGE = sorted(p.stem for p in WORKFLOWS.glob("*, SD1.5.json"))
OLD = sorted((Path(__file__).parent / "old_graphs").glob("*.json"))
OLD_LARGE = [path for path in OLD if " SD1.5 " in path.stem]
NATIVE_S = 60  # from Queue to picture, at mini's native size


@pytest.fixture(scope="module")
def server(server, host) -> Server:
    """With the one picture that every ComfyUI has."""
    put_example(host, server.base)
    return server


def read(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))


def kinds(graph: dict) -> set[str]:
    """The types of all nodes, those in subgraphs too."""
    inner = graph.get("definitions", {}).get("subgraphs", [])
    nodes = [*graph["nodes"], *(node for definition in inner for node in definition["nodes"])]
    return {node["type"] for node in nodes} - {"MarkdownNote"} - {definition["id"] for definition in inner}


def test_every_story_has_a_graph_on_mini_and_on_a_large_model():
    stories = [{name.rpartition(", ")[0] for name in names if ", app, " not in name} for names in (GRAPHS, LARGE)]
    assert stories[0] == stories[1] and len(stories[0]) >= 12


def test_graphs_blueprint_and_thumbnails_are_as_the_nodes_make_them(server: Server):
    nodes = server.get("/object_info")
    files = texts(nodes)
    assert stale(files, origins(files, nodes)) == []


@pytest.mark.parametrize("path", [path for path in OLD if path not in OLD_LARGE], ids=lambda path: path.stem)
def test_a_graph_saved_with_an_older_version_still_runs(server: Server, path):
    assert server.pictures(server.run(prompt_of(read(path), server.get("/object_info"))))


@pytest.mark.parametrize("linked", [False, True], ids=["typed", "linked"])
def test_an_old_graphs_colour_from_style_still_counts(server: Server, linked):
    graph = read(Path(__file__).parent / "old_graphs" / "2026-11 recolour by palette.json")
    (node,) = (n for n in graph["nodes"] if n["type"] == "SWF_TripleSampler")
    node["widgets_values"][-1] = 0.25
    if linked:  # as the page saves a widget that a link feeds
        link = graph["last_link_id"] + 1
        graph["links"].append([link, 1000, 0, node["id"], len(node["inputs"]), "FLOAT"])
        widget = {"name": "colour_from_style", "type": "FLOAT", "link": link, "widget": {"name": "colour_from_style"}}
        node["inputs"].append(widget)
        graph["nodes"].append({"id": 1000, "type": "PrimitiveFloat", "inputs": [], "widgets_values": [0.25]})
    inputs = prompt_of(graph, server.get("/object_info"))
    assert inputs[str(node["id"])]["inputs"]["colour_from_style"] == (["1000", 0] if linked else 0.25)
    assert server.pictures(server.run(inputs))


@pytest.mark.parametrize(
    "path", [*(WORKFLOWS / f"{name}.json" for name in LARGE), *OLD_LARGE], ids=lambda path: path.stem
)
def test_a_graph_for_a_large_model_has_nothing_missing_but_its_files(server: Server, path):
    """It cannot run without gigabytes; the host must find nothing wrong with it but files that are not there."""
    graph, nodes = read(path), server.get("/object_info")
    assert kinds(graph) <= nodes.keys()
    models = [m for n in graph["nodes"] for m in n["properties"].get("models", ())]
    assert models and all(m["url"].startswith("https://") for m in models)
    errors = server.node_errors(prompt_of(graph, nodes))
    assert errors and {e["type"] for e in errors} == {"value_not_in_list"}, errors
    assert {e["extra_info"]["received_value"] for e in errors} <= {m["name"] for m in models}, errors


@pytest.mark.parametrize("name", GRAPHS)
def test_a_graph_runs(server: Server, name):
    graph, nodes = read(WORKFLOWS / f"{name}.json"), server.get("/object_info")
    assert kinds(graph) <= nodes.keys()
    foreign = {k for k in kinds(graph) if "custom_nodes" in nodes[k]["python_module"] and not k.startswith("SWF_")}
    assert not foreign
    start = time.monotonic()
    pictures = server.pictures(server.run(prompt_of(graph, nodes)))
    seconds = time.monotonic() - start
    result = [p for p in pictures if p.parent.name == "StyleWallfacer"]
    assert result, pictures
    assert max(ImageStat.Stat(Image.open(result[-1])).stddev) > 10  # a picture, not a plain field
    if name.startswith(("1 ", "2 ")):
        assert seconds < NATIVE_S


def test_the_first_graph_is_two_pictures_a_loader_two_nodes_and_the_result():
    for name in ("1 your two pictures, mini", "1 your two pictures, SD1.5"):
        graph = read(WORKFLOWS / f"{name}.json")
        types = [node["type"] for node in graph["nodes"]]
        assert len(types) == 8 and types.count("LoadImage") == 2
        assert types.count("SWF_TripleSampler") == types.count("SWF_FineDetail") == 1
        assert "definitions" not in graph and types[0] == "MarkdownNote"


def test_the_blueprint_runs_as_one_node_between_pictures_and_result(server: Server):
    """As the page places it: its node in a graph, its definition beside."""
    blueprint, nodes = read(SUBGRAPHS / "Style Transfer.json"), server.get("/object_info")
    (node,) = blueprint["nodes"]
    order = {entry["name"]: slot for slot, entry in enumerate(node["inputs"])}
    node |= {"id": 50}
    links = [[1, 1, 0, 50, order["model"], "MODEL"], [2, 1, 2, 50, order["vae"], "VAE"]]
    links += [[3, 2, 0, 50, order["content"], "IMAGE"], [4, 2, 0, 50, order["style"], "IMAGE"]]
    for number, _, _, _, slot, _ in links:
        node["inputs"][slot]["link"] = number
    links.append([5, 50, 0, 3, 0, "IMAGE"])
    loader = {"id": 1, "type": "SWF_MiniLoader", "inputs": [], "widgets_values": []}
    picture = {"id": 2, "type": "LoadImage", "inputs": [], "widgets_values": ["example.png", "image"]}
    saved = {"id": 3, "type": "SaveImage", "inputs": [{"name": "images", "link": 5}], "widgets_values": ["blueprint"]}
    graph = blueprint | {"nodes": [loader, picture, node, saved], "links": links}
    prompt = prompt_of(graph, nodes)
    (triple,) = (n["inputs"] for n in prompt.values() if n["class_type"] == "SWF_TripleSampler")
    assert triple["query_preservation"] == node["widgets_values"][0] and "clip" not in triple
    assert server.pictures(server.run(prompt))
