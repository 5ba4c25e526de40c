"""Every shipped graph as the page opens it: all there, nothing over another, legible in a window of 1600 x 1000."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from making.prompt import prompt_of
from making.shipped import SUBGRAPHS, WORKFLOWS

from support import browser as b
from support.graph_files import put_example

SMALLEST_PX = 9.0
WIDEST, HIGHEST = 2300, 1400
GRAPHS = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(WORKFLOWS.glob("*.json"))}
OPEN = "graph => app.loadGraphData(graph, true, true, null, {openSource: 'template'})"
# What is drawn, in pixels of the window.
DRAWN = """() => {
  const {scale} = app.canvas.ds, nodes = app.graph.nodes, known = LiteGraph.registered_node_types;
  const inner = nodes.flatMap(node => node.subgraph ? node.subgraph.nodes : []);
  const paint = app.canvas.canvas.getContext('2d');
  paint.font = `${LiteGraph.NODE_TEXT_SIZE}px Inter, sans-serif`;
  const texts = '.comfy-markdown .tiptap :is(h1,h2,h3,p), .comfy-markdown-content :is(h1,h2,h3,p)';
  return {
    scale,
    missing: [...nodes, ...inner].filter(node => !known[node.type]).map(node => node.type),
    notes: [...document.querySelectorAll(texts)].filter(e => e.textContent.trim())
      .map(e => parseFloat(getComputedStyle(e).fontSize) * scale),
    clipped: [...document.querySelectorAll('.comfy-markdown .tiptap, .comfy-markdown-content')]
      .filter(e => e.scrollHeight > e.clientHeight + 2).length,
    boxes: nodes.map(node => [node.title, ...node.getBounding()]),
    cut: nodes.filter(node => paint.measureText(node.title).width + 66 > node.size[0]).map(node => node.title),
    groups: app.graph.groups.map(group => [group.title, group.font_size * scale]),
  };
}"""


def open_graph(page: Any, graph: dict, settled: str) -> None:
    """Open it as the template browser does, and wait until its note stands there."""
    page.evaluate(OPEN, graph)
    page.wait_for_function(settled, timeout=20_000)
    page.wait_for_timeout(500)


def faults(drawn: dict, vue: bool) -> list[str]:
    """What an artist could not read."""
    wrong = [f"no node {kind}" for kind in drawn["missing"]]
    wrong += [f"a title of {14 * drawn['scale']:.1f} px"] * (14 * drawn["scale"] < SMALLEST_PX)
    wrong += [f"a note of {px:.1f} px" for px in drawn["notes"] if px < SMALLEST_PX]
    wrong += ["no note"] * (not drawn["notes"]) + ["a note is cut"] * bool(drawn["clipped"])
    wrong += [f"group {title} at {px:.1f} px" for title, px in drawn["groups"] if px < SMALLEST_PX]
    numbers = [re.match(r"(\d+) \S", title) for title, _ in drawn["groups"]]
    wrong += ["groups are not numbered"] * ([int(m[1]) if m else 0 for m in numbers] != [*range(1, len(numbers) + 1)])
    if vue:  # its nodes are measured by the page's own layout
        return wrong
    boxes = drawn["boxes"]
    wrong += [f"the title {title} is cut" for title in drawn["cut"]]
    wrong += [f"{p[0]} lies on {q[0]}" for i, p in enumerate(boxes) for q in boxes[i + 1 :] if overlap(p, q)]
    left, top = min(box[1] for box in boxes), min(box[2] for box in boxes)
    wide, high = max(x + w for _, x, _, w, _ in boxes) - left, max(y + h for _, _, y, _, h in boxes) - top
    wrong += [f"{wide:.0f} x {high:.0f} units"] * (wide > WIDEST or high > HIGHEST)
    note = boxes[0]
    return wrong + ["the note is not first, top left"] * (note[1] > left or note[2] > top)


def overlap(p: list, q: list) -> bool:
    return p[1] < q[1] + q[3] and q[1] < p[1] + p[3] and p[2] < q[2] + q[4] and q[2] < p[2] + p[4]


@pytest.fixture
def large_page(request, host, chrome):
    """The page of a front end in a window of 1600 x 1000; `request.param`: its server, and whether nodes are Vue's."""
    name, vue = request.param
    server = request.getfixturevalue(name)
    put_example(host, server.base)
    page = b.open_page(chrome, server, vue)
    page.set_viewport_size({"width": 1600, "height": 1000})
    page.wait_for_timeout(1000)
    yield page, server, vue
    page.evaluate("app.extensionManager.setting.set('Comfy.VueNodes.Enabled', false)")  # the server remembers it


@pytest.mark.parametrize(
    "large_page",
    [("server", False), ("newest_server", False), ("newest_server", True)],
    ids=["own, classic", "newest, classic", "newest, Vue"],
    indirect=True,
)
def test_every_graph_opens_whole_and_legible(large_page, request):
    page, server, vue = large_page
    nodes, wrong = server.get("/object_info"), {}
    complaints: list[str] = []
    page.on(
        "console", lambda m: complaints.append(m.text) if re.search(r"subgraph|linear|validation", m.text) else None
    )
    for name, graph in GRAPHS.items():
        graph = graph | {"extra": graph["extra"] | {"linearMode": False}}  # as a graph, also the one that is an app
        open_graph(page, graph, "document.querySelector('.comfy-markdown h1, .comfy-markdown-content h1')")
        found = faults(page.evaluate(DRAWN), vue)
        if bare(page.evaluate("async () => (await app.graphToPrompt()).output")) != bare(prompt_of(graph, nodes)):
            found.append("the page sends something else")
        if found:
            wrong[name] = found
        page.keyboard.press("Escape")  # the dialog about a large model's file that is not there
        page.wait_for_timeout(300)
        b.shot(page, f"graph {name} {request.node.callspec.id}")
    assert not wrong, json.dumps(wrong, indent=1)
    assert not complaints


def bare(prompt: dict) -> dict:
    """Classes and inputs alone, without a widget that only the page has."""
    inputs = {k: {n: v for n, v in node["inputs"].items() if n != "preview"} for k, node in prompt.items()}
    return {k: (node["class_type"], inputs[k]) for k, node in prompt.items()}


def test_the_newest_page_opens_the_app_as_an_app(chrome, host, newest_server):
    put_example(host, newest_server.base)
    page = b.open_page(chrome, newest_server)
    page.evaluate(OPEN, GRAPHS["1 your two pictures, app, mini"])
    for label in "Your picture", "The style: a painting", "query_preservation":
        page.get_by_text(label, exact=True).first.wait_for(timeout=20_000)
    page.wait_for_timeout(1000)
    page.keyboard.press("Escape")  # the newest page's welcome to apps
    page.wait_for_timeout(500)
    b.shot(page, "app mode")
    page.get_by_role("button", name="Run", exact=True).first.click()
    for _ in range(600):
        pictures = [*(newest_server.base / "output" / "StyleWallfacer").glob("two pictures*.png")]
        if pictures:
            break
        page.wait_for_timeout(200)
    assert pictures
    page.wait_for_timeout(2000)
    b.shot(page, "app mode, painted")


def test_the_newest_page_lists_the_blueprint_and_places_its_node(chrome, newest_server):
    """Where the host is older than blueprints, its answer is given in its place, as newer hosts give it."""
    (path,) = SUBGRAPHS.glob("*.json")
    listed = {"swf": {"name": path.stem, "info": {"node_pack": "custom_nodes.stylewallfacer"}, "source": "custom_node"}}
    context = chrome.new_context()
    context.route("**/global_subgraphs", lambda route: route.fulfill(json=listed))
    whole = listed["swf"] | {"data": path.read_text(encoding="utf-8")}
    context.route("**/global_subgraphs/swf", lambda route: route.fulfill(json=whole))
    page = b.open_page(context, newest_server)
    kind = f"SubgraphBlueprint.{path.stem}"
    page.wait_for_function(f"LiteGraph.registered_node_types['{kind}'] || app.extensionManager", timeout=20_000)
    page.keyboard.press("Escape")
    page.evaluate("app.graph.clear()")
    page.mouse.dblclick(700, 700)
    page.wait_for_timeout(1500)
    page.keyboard.type("Style Transfer")
    page.wait_for_timeout(1500)
    b.shot(page, "blueprint, searched")
    page.get_by_text(path.stem, exact=True).first.click()
    page.wait_for_timeout(1500)
    page.mouse.click(700, 500)
    page.wait_for_timeout(1000)
    b.shot(page, "blueprint, placed")
    inputs = page.evaluate("app.graph.nodes.map(node => [node.title, node.inputs.map(i => i.name)])")
    assert len(inputs) == 1 and inputs[0][0] == path.stem, inputs
    assert {"model", "clip", "vae", "content", "style", "query_preservation", "steps"} <= set(inputs[0][1])
