"""The registry's archive, unpacked into a fresh ComfyUI as an artist gets it: nodes, templates, a graph, the demo."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import urllib.parse
import urllib.request
import zipfile
from typing import Any

import pytest
from PIL import Image

from making.prompt import prompt_of
from making.schemas import node_schemas

from support.archive import packed_files
from support.graph_files import put_example

PACK = "stylewallfacer"


def fetch(server: Any, *parts: str) -> bytes:
    address = "/".join([server.url, *map(urllib.parse.quote, parts)])
    with urllib.request.urlopen(address, timeout=60) as answer:
        return answer.read()


def sockets(info: dict[str, Any]) -> dict[str, tuple[str, str, bool]]:
    """Type, tooltip and optionality of a node's inputs, as a host tells them."""
    found = {}
    for group in ("required", "optional"):
        for name, (kind, *spec) in info["input"].get(group, {}).items():
            found[name] = ("COMBO" if isinstance(kind, list) else kind, spec[0].get("tooltip", ""), group == "optional")
    return found


def test_the_tool_packs_what_the_rule_says(archive):
    with zipfile.ZipFile(archive) as packed:
        names = packed.namelist()
    assert sorted(names) == packed_files()


def test_the_host_says_of_every_node_what_was_read_without_one(artists_server):
    nodes = artists_server.get("/object_info")
    schemas = node_schemas()
    assert {name for name in nodes if name.startswith("SWF_")} == set(schemas)
    for name, schema in schemas.items():
        info = nodes[name]
        assert (info["display_name"], info["description"]) == (schema.display_name, schema.description)
        assert sockets(info) == {i.name: (i.kind, i.tooltip, i.optional) for i in schema.inputs}, name
        assert info["output"] == [o.kind for o in schema.outputs]
        assert info["output_name"] == [o.label for o in schema.outputs]
        assert list(info["output_tooltips"]) == [o.tooltip for o in schema.outputs]


def test_every_template_is_offered_with_a_thumbnail_and_knows_its_nodes(artists_server):
    nodes = artists_server.get("/object_info").keys()
    names = artists_server.get("/api/workflow_templates")[PACK]
    assert len(names) >= 24
    for name in names:
        graph = json.loads(fetch(artists_server, "api/workflow_templates", PACK, f"{name}.json"))
        inner = graph.get("definitions", {}).get("subgraphs", [])
        kinds = {n["type"] for n in [*graph["nodes"], *(n for definition in inner for n in definition["nodes"])]}
        assert kinds <= nodes | {"MarkdownNote"} | {definition["id"] for definition in inner}, name
        if ", app, " not in name:
            picture = Image.open(io.BytesIO(fetch(artists_server, "api/workflow_templates", PACK, f"{name}.jpg")))
            picture.load()
            assert min(picture.size) >= 200, name


def test_help_pages_and_translations_are_served(artists_server):
    for node in node_schemas():
        for page in (f"{node}.md", f"{node}/en.md", f"{node}/zh.md", f"{node}/example.jpg"):
            assert fetch(artists_server, "extensions", PACK, "docs", page)
    names = artists_server.get("/i18n")["zh"]["nodeDefs"]
    assert all(names[node]["display_name"] for node in node_schemas())


def test_the_first_graph_runs(artists_server, host):
    put_example(host, artists_server.base)
    graph = json.loads(fetch(artists_server, "api/workflow_templates", PACK, "1 your two pictures, mini.json"))
    history = artists_server.run(prompt_of(graph, artists_server.get("/object_info")))
    assert artists_server.pictures(history)


@pytest.mark.slow
def test_the_command_line_of_the_unpacked_folder_runs_its_demo(artists_server, tmp_path):
    command = [sys.executable, "-m", "swf_core", "demo", "--out", str(tmp_path / "demo")]
    folder = artists_server.base / "custom_nodes" / PACK
    subprocess.run(command, cwd=folder, check=True, timeout=600)
    assert (tmp_path / "demo" / "sheet.png").is_file() and (tmp_path / "demo" / "report.json").is_file()
