"""Help pages in the real page: opened as a person does, they show their picture, in a language of their own or not.

A dot in the pack's folder name would hide them: the page takes the folder's name up to the first dot. So these tests
run on the unpacked archive, under the name that the registry gives it.
"""

from __future__ import annotations

from typing import Any

import pytest

from support import browser as b

pytestmark = pytest.mark.browser

NODES = """
id => {
  app.graph.clear();
  const node = LiteGraph.createNode(id);
  node.pos = [500, 300];
  app.graph.add(node);
  app.canvas.ds.offset = [0, 0];
  app.canvas.ds.scale = 1;
  app.canvas.setDirty(true, true);
  const canvas = app.canvas.canvas.getBoundingClientRect();
  return [canvas.left + 560, canvas.top + 285];
}
"""
SHOWN = """
() => {
  const help = document.querySelector('.node-help-content');
  const wide = [...help.querySelectorAll('*')].filter(e => e.scrollWidth > help.clientWidth + 1);
  return {
    text: help.innerText,
    pictures: [...help.querySelectorAll('img')].map(i => [i.src, i.complete && i.naturalWidth]),
    wide: wide.map(e => e.tagName + ': ' + e.innerText.slice(0, 60)),
  };
}
"""
LOADED = """
part => [...document.querySelectorAll('.node-help-content img')].some(i => i.complete && i.src.includes(part))
"""
IDS = "Object.keys(LiteGraph.registered_node_types).filter(id => id.startsWith('SWF_'))"
# What a language shows: words of the page of Triple Diffusion Sampler, and of its widgets.
EXPECTED = {"en": "Repaints the", "zh": "重绘", "fr": "Repaints the"}


@pytest.fixture(scope="module", params=list(EXPECTED))
def page(request, artists_server) -> Any:
    """The page in a language."""
    with b.browsing() as browser:
        page = b.open_page(browser, artists_server)
        page.evaluate("language => app.extensionManager.setting.set('Comfy.Locale', language)", request.param)
        page.wait_for_timeout(500)
        page.reload()
        b.ready(page)
        for _ in range(3):  # a first run's templates
            page.wait_for_timeout(400)
            page.keyboard.press("Escape")
        yield page
        page.evaluate("app.extensionManager.setting.set('Comfy.Locale', 'en')")
        page.wait_for_timeout(500)


def open_help(page: Any, node: str) -> dict[str, Any]:
    """Put a node on the canvas, click its title and its info button; what the page then shows of its help."""
    from playwright.sync_api import TimeoutError as NotYet

    info = page.locator("[data-testid='info-button']").first
    x, y = page.evaluate(NODES, node)
    for _ in range(5):  # the buttons over a node come with its selection, and move while they do
        page.mouse.click(100 + x // 10, 700)  # nowhere: nothing is selected
        page.wait_for_timeout(200)
        page.mouse.click(x, y)
        page.wait_for_timeout(400)
        if info.is_visible():
            try:
                info.click(timeout=5_000, force=True)
                page.wait_for_function(LOADED, arg=f"/docs/{node}/", timeout=4_000)
                break
            except NotYet:
                continue
    page.wait_for_function(LOADED, arg=f"/docs/{node}/", timeout=4_000)
    return page.evaluate(SHOWN)


def test_every_page_shows_its_pictures_and_is_not_cut(page, request):
    language = request.node.callspec.params["page"]
    nodes = page.evaluate(IDS)
    assert len(nodes) >= 14
    for node in nodes:
        help_page = open_help(page, node)
        assert help_page["pictures"] and all(width > 0 for _, width in help_page["pictures"]), (node, help_page)
        assert not help_page["wide"], (node, help_page["wide"])
        assert "**" not in help_page["text"] and "![" not in help_page["text"], node
        assert any("\u4e00" <= letter <= "\u9fff" for letter in help_page["text"]) == (language == "zh"), node
        if node in ("SWF_TripleSampler", "SWF_FeedbackGallery"):
            b.shot(page, f"help {node} {language} {request.node.callspec.params['artists_server']}")
    assert EXPECTED[language] in open_help(page, "SWF_TripleSampler")["text"]


LABELS = """
id => {
  app.graph.clear();
  const node = LiteGraph.createNode(id);
  app.graph.add(node);
  return {
    title: node.title,
    widgets: Object.fromEntries(node.widgets.map(w => [w.name, w.label ?? w.name])),
    inputs: node.inputs.map(i => i.localized_name ?? i.label ?? i.name),
    outputs: node.outputs.map(o => o.localized_name ?? o.label ?? o.name),
  };
}
"""


def test_names_on_a_node_are_in_the_pages_language(page, request):
    node = page.evaluate(LABELS, "SWF_TripleSampler")
    if request.node.callspec.params["page"] == "zh":
        assert node["title"] == "风格迁移 Style Transfer（Wallfacer 三重扩散采样器）"
        assert node["widgets"]["query_preservation"] == "查询保持" and node["widgets"]["size"] == "长边像素"
        assert {"内容图", "风格图"} <= set(node["inputs"])
    else:
        assert node["title"] == "Style Transfer (Wallfacer Triple Diffusion Sampler)"
        assert node["widgets"]["query_preservation"] == "query_preservation"
        assert {"content", "style"} <= set(node["inputs"])
