"""One set of defaults of the transfer: a new node, the shipped graphs, the help pages and the command line agree."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from making.widgets import widgets_of
from swf_core.cli.checks import check_preset
from swf_core.transfer.defaults import CFG, DEFAULT_PRESET, FRESH, MEASURED_FAMILY, SAMPLER, SCHEDULER, STEPS
from swf_core.transfer.options import TransferOptions
from swf_core.transfer.presets import PRESETS, preset_of

from support.pack import ROOT

TRIPLE, PATCH, TRAJECTORY = "SWF_TripleSampler", "SWF_QueryPreservePatch", "SWF_Trajectory"
LAYERS = {"mini": {}, "SD1.x": {"late": "late"}}
PAGES = [f"{language}.md" for language in ("en", "zh")]


def triple_dials(options: TransferOptions) -> dict[str, Any]:
    """A preset's values under the names of the sampler's widgets."""
    injection = options.injection
    return {
        "style_strength": injection.strength,
        "query_preservation": injection.gamma,
        "colour_from_style": options.adain,
        "sampler_name": SAMPLER,
        "scheduler": SCHEDULER,
        "denoise": options.denoise,
    }


def patch_dials(options: TransferOptions) -> dict[str, Any]:
    """The same of the patch."""
    injection = options.injection
    return {name: getattr(injection, name) for name in ("strength", "tau", "kv", "value_shift", "query_adain")}


@pytest.fixture(scope="module")
def nodes(server) -> dict[str, Any]:
    return server.get("/object_info")


def test_a_new_node_shows_the_command_lines_preset(nodes):
    class Arguments:
        preset = None

    assert check_preset(Arguments()) == DEFAULT_PRESET  # pyright: ignore[reportArgumentType]
    options = preset_of(DEFAULT_PRESET, MEASURED_FAMILY, LAYERS[MEASURED_FAMILY])
    assert options == FRESH
    wanted = {
        TRIPLE: triple_dials(options) | {"steps": options.steps, "cfg": options.cfg},
        PATCH: patch_dials(options) | {"gamma": options.injection.gamma, "gamma_schedule": "constant"},
        TRAJECTORY: {"steps": STEPS, "scheduler": SCHEDULER, "refinements": options.refinements},
    }
    for node, values in wanted.items():
        defaults = dict(widgets_of(nodes[node]))
        assert {name: defaults[name] for name in values} == values, node
    assert (options.steps, options.cfg) == (STEPS, CFG)


def test_nodes_offer_the_command_lines_presets(nodes):
    for node in (TRIPLE, PATCH):
        (kind, more) = nodes[node]["input"]["optional"]["preset"]
        options = more["options"] if kind == "COMBO" else kind
        # custom for graphs from before there were presets
        assert options == ["custom", *PRESETS] and more["default"] == "custom"


def shipped(kind: str, nodes: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Each node of this kind in the shipped graphs: the graph's name, its family, and the widgets' values."""
    names = [name for name, _ in widgets_of(nodes[kind])]
    for path in sorted((ROOT / "workflows").glob("*.json")):
        graph = json.loads(path.read_text(encoding="utf-8"))
        inner = graph.get("definitions", {}).get("subgraphs", [])
        found = [node for part in (graph, *inner) for node in part["nodes"]]
        family = "mini" if any(node["type"] == "SWF_MiniLoader" for node in found) else "SD1.x"
        for node in found:
            if node["type"] == kind:
                yield path.stem, family, dict(zip(names, node["widgets_values"], strict=True))


def test_the_shipped_graphs_begin_with_the_preset_of_their_models(nodes):
    seen = set()
    for graph, family, values in shipped(TRIPLE, nodes):
        wanted = triple_dials(preset_of(DEFAULT_PRESET, family, LAYERS[family]))
        if "colors" in graph:
            del wanted["colour_from_style"]  # what the story is about
        assert {name: values[name] for name in wanted} == wanted, graph
        seen.add(family)
    assert seen == {"mini", "SD1.x"}
    for graph, family, values in shipped(PATCH, nodes):
        options = preset_of(DEFAULT_PRESET, family, LAYERS[family])
        wanted = patch_dials(options)
        if "text-driven" in graph:
            del wanted["strength"]  # without a content the words hold the drawing
        else:
            wanted |= {"gamma": options.injection.gamma, "gamma_schedule": options.injection.gamma_schedule}
            wanted["layers"] = options.injection.layers
        assert {name: values[name] for name in wanted} == wanted, graph


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("node", [TRIPLE, PATCH, TRAJECTORY])
def test_the_help_pages_say_what_a_widget_starts_as(nodes, node, page):
    text = (ROOT / "web" / "docs" / node / page).read_text(encoding="utf-8")
    words = {"en.md": "starts as", "zh.md": "默认"}[page]
    lines = [line for line in text.splitlines() if line.startswith("- **") and words in line]
    for name, default in widgets_of(nodes[node]):
        if default == "" or name == "control_after_generate":
            continue
        (line,) = (line for line in lines if re.search(rf"[*`]{re.escape(name)}[*`]", line))
        shown = re.search(rf"{words} ([^)；）]+)[)；）]", line)
        assert shown, line
        value = {"on": True, "off": False, "开": True, "关": False}.get(shown[1], shown[1])
        assert value == default or str(default) == value or float(value) == default, line


@pytest.mark.parametrize("page", PAGES)
def test_the_help_page_names_the_sampler_and_scheduler_that_a_new_node_has(page):
    text = (ROOT / "web" / "docs" / TRIPLE / page).read_text(encoding="utf-8")
    assert re.search(rf"`{SAMPLER}` \S+ `{SCHEDULER}`", text)
