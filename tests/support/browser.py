"""The real page in a real Chromium: starting it, building graphs in it, waiting for what it shows."""

from __future__ import annotations

import os
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from support.comfy_host import ROOT, Host
from support.comfy_server import Server

SHOTS = ROOT / "out" / "screenshots"  # they stay after the tests, to be looked at
NEWEST = Path(os.environ.get("COMFYUI_NEWEST_FRONTEND", Path.home() / ".cache" / "stylewallfacer" / "frontend"))
# Widgets of a node by name, inputs as (node, slot); as `graph_js` lays them out.
Graph = dict[str, tuple[str, dict[str, Any]]]


def chromium() -> str:
    """The browser's program; skips the test where there is none."""
    program = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no Chromium; install it or set CHROMIUM")
    return program


def newest_frontend(host: Host) -> Path:
    """The static files of the newest front end, fetched once; skips the test where that cannot be."""
    static = NEWEST / "comfyui_frontend_package" / "static"
    if not static.is_dir():
        command = [
            host.python,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--target",
            str(NEWEST),
            "comfyui-frontend-package",
        ]
        if subprocess.run(command, capture_output=True).returncode:
            pytest.skip("the newest comfyui-frontend-package cannot be fetched")
    return static


@contextmanager
def browsing(*arguments: str) -> Iterator[Any]:
    """A fresh browser, with further arguments: nothing remembered."""
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium(), args=["--no-sandbox", "--disable-gpu", *arguments])
        try:
            yield browser
        finally:
            browser.close()


def open_page(context: Any, server: Server, vue: bool = False) -> Any:
    """ComfyUI's page, ready, in a context or browser."""
    page = context.new_page()
    page.on("console", lambda m: print("page:", m.text) if m.type == "error" and "/swf/" in m.text else None)
    page.set_viewport_size({"width": 1400, "height": 900})
    page.goto(server.url)
    ready(page)
    if vue != page.evaluate("Boolean(app.extensionManager.setting.get('Comfy.VueNodes.Enabled'))"):
        page.evaluate("on => app.extensionManager.setting.set('Comfy.VueNodes.Enabled', on)", vue)
        page.reload()
        ready(page)
    return page


def ready(page: Any) -> None:
    """Wait until the page has loaded this pack; a first run's dialog is put away."""
    page.wait_for_function(
        "window.app && app.graph && document.querySelector('.swf-corner[data-ready]')", timeout=60_000
    )
    page.evaluate("app.extensionManager.setting.set('Comfy.TutorialCompleted', true)")
    page.keyboard.press("Escape")
    page.wait_for_timeout(300)


BUILD = """
graph => {
  app.graph.clear();
  const nodes = {};
  let column = 0;
  for (const [name, [kind]] of Object.entries(graph)) {
    const node = LiteGraph.createNode(kind);
    node.pos = [40 + 360 * (column % 3), 80 + 460 * Math.floor(column / 3)];
    column += 1;
    app.graph.add(node);
    nodes[name] = node;
  }
  for (const [name, [kind, inputs]] of Object.entries(graph)) {
    const node = nodes[name];
    for (const [input, value] of Object.entries(inputs)) {
      if (Array.isArray(value)) nodes[value[0]].connect(value[1], node, node.inputs.findIndex(i => i.name === input));
      else node.widgets.find(w => w.name === input).value = value;
    }
  }
  return Object.fromEntries(Object.entries(nodes).map(([name, node]) => [name, node.id]));
}
"""


def cells(page: Any, inside: str = ".swf-dialog") -> Any:
    """The samples that a gallery shows, once it shows any."""
    page.wait_for_selector(f"{inside} .swf-cell[data-id] img", timeout=120_000)
    return page.locator(f"{inside} .swf-cell")


def quiet(server: Server) -> None:
    """Nothing runs or waits any more: a test that failed may have left a graph."""
    for path, body in (("/queue", b'{"clear": true}'), ("/interrupt", b"{}")):
        request = urllib.request.Request(server.url + path, body, {"Content-Type": "application/json"})
        urllib.request.urlopen(request, timeout=10).close()


def build(page: Any, graph: Graph) -> dict[str, int]:
    """Put a graph on the page's canvas; the nodes' numbers by name."""
    return page.evaluate(BUILD, {name: list(node) for name, node in graph.items()})


def queue(page: Any) -> None:
    """Press Run."""
    page.evaluate("app.queuePrompt(0)")


def shot(page: Any, name: str) -> None:
    """Keep what the page shows."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"{name}.png")
