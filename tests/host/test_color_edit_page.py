"""Color Edit's swatches in the real page: they show, a click edits the palette, the edit runs and can be taken back."""

from __future__ import annotations

import pytest

from swf_core.measure.metrics.pairs import make_pairs

from support import browser as b
from support.comfy_host import free_port, new_base, serve
from support.comfy_server import put_pictures

pytestmark = pytest.mark.browser

SWATCHES = ".swf-panel .swf-swatch input"
VALUE = "app.graph._nodes.find(n => n.type === 'SWF_ColorEdit').widgets.find(w => w.name === 'palette').value"
PICK = "(input) => { input.value = '#8033cc'; input.dispatchEvent(new Event('change', {bubbles: true})); }"
GRAPH: b.Graph = {
    "picture": ("LoadImage", {"image": "swatch_content.png"}),
    "edit": ("SWF_ColorEdit", {"image": ["picture", 0]}),
    "save": ("SaveImage", {"images": ["edit", 1], "filename_prefix": "swatched"}),
}


@pytest.fixture(scope="module")
def chrome():
    with b.browsing() as driver:
        yield driver


@pytest.fixture(params=["own, classic", "newest, Vue"])
def page(request, chrome, host, server, tmp_path):
    """The page of the host's own front end, and of the newest one with Vue nodes."""
    pair = make_pairs(3, 12_345_600)[2]
    put_pictures(server.base, pair, "swatch_")
    if request.param == "own, classic":
        yield b.open_page(chrome, server)
        return
    (tmp_path / "newest").mkdir()
    folder = new_base(tmp_path / "newest")
    put_pictures(folder, pair, "swatch_")
    newest, process = serve(host, folder, free_port(), "--front-end-root", str(b.newest_frontend(host)))
    try:
        yield b.open_page(chrome, newest, vue=True)
    finally:
        process.kill()
        process.wait()


def test_a_swatch_is_edited_run_and_taken_back(page, request):
    b.build(page, GRAPH)
    page.evaluate("app.canvas.ds.offset = [0, 0]")
    page.keyboard.press("Escape")  # a first run's templates
    b.queue(page)
    page.wait_for_selector(SWATCHES, timeout=60_000)
    inputs = page.locator(SWATCHES)
    assert inputs.count() == 6 and page.evaluate(VALUE) == ""
    first = inputs.first.input_value()
    inputs.first.evaluate(PICK)
    assert page.evaluate(VALUE).startswith(f"{first} -> #8033cc,\n")
    b.queue(page)
    page.wait_for_timeout(1500)
    page.wait_for_function("!document.querySelector('.swf-panel [role=status]').textContent", timeout=60_000)
    assert page.locator(SWATCHES).first.input_value() == "#8033cc"
    b.shot(page, f"swatches {request.node.callspec.id}")
    back = page.locator(".swf-panel .swf-swatch button")
    assert back.count() == 1
    page.keyboard.press("Escape")
    page.wait_for_timeout(500)
    back.click()
    assert page.evaluate(VALUE) == "" and page.locator(SWATCHES).first.input_value() == first
