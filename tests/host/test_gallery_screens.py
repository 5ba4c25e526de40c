"""What the gallery says and how it fits: words for signals, reasons for grey buttons, three widths, both front ends;
and that it leaves nothing on the page that it does not own."""

from __future__ import annotations

from typing import Any

import pytest

from support import browser as b
from support.comfy_server import Server
from support.gallery_loop import until
from support.made_runs import make_run

pytestmark = pytest.mark.browser
FRONTENDS = ("own, classic", "own, Vue", "newest, classic", "newest, Vue")
OPEN = "app.extensionManager.command.execute('StyleWallfacer.Gallery.Open')"
# Before any script of the page: who listens to what all packs share, and which object URLs are held.
WATCH = """
  globalThis.listeners = [];
  globalThis.held = new Set();
  for (const target of [window, document]) {
    const add = target.addEventListener;
    target.addEventListener = function (kind, ...rest) {
      if (new Error().stack.includes('style.wallfacer')) listeners.push(kind);
      return add.call(this, kind, ...rest);
    };
  }
  const [create, revoke] = [URL.createObjectURL, URL.revokeObjectURL];
  URL.createObjectURL = (blob) => { const url = create(blob); held.add(url); return url; };
  URL.revokeObjectURL = (url) => { held.delete(url); revoke(url); };
"""


@pytest.fixture(params=FRONTENDS)
def page(request, chrome, server) -> Any:
    """The gallery's page with a run of three prompts and three steps on file; nothing of it is open."""
    kind, nodes = request.param.split(", ")
    chosen: Server = server if kind == "own" else request.getfixturevalue("newest_server")
    b.quiet(chosen)
    if not chosen.run_folder("screens").exists():
        make_run(chosen.run_folder("screens"), rows=3, steps=3, px=128, plain=True)
    context = chrome.new_context()
    context.add_init_script(WATCH)
    page = b.open_page(context, chosen, nodes == "Vue")
    page.label = request.param.replace(", ", "-")
    yield page
    context.close()


def open_run(page: Any) -> Any:
    """The gallery on the run, its cells."""
    page.evaluate(OPEN)
    page.wait_for_selector(".swf-dialog select option", state="attached")
    page.locator(".swf-dialog select").select_option(label="screens")
    until(page, "document.querySelectorAll('.swf-dialog .swf-cell').length === 12")
    return b.cells(page)


def cell_px(page: Any) -> float:
    return page.locator(".swf-dialog .swf-frame").first.evaluate("e => e.getBoundingClientRect().width")


def test_it_fits_three_widths_and_cells_follow_the_window(page):
    page.set_viewport_size({"width": 390, "height": 844})
    open_run(page)
    sizes = {}
    for width, height in ((390, 844), (900, 900), (1600, 900)):
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_timeout(400)
        sizes[width] = cell_px(page)
        b.shot(page, f"screens {page.label} {width}")
        box, seen, whole = page.locator(".swf-dialog .swf-advice").evaluate(
            "e => { const r = e.getBoundingClientRect(); return [[r.left, r.top, r.right, r.bottom],"
            " e.contains(document.elementFromPoint(r.right - 8, r.bottom - 4)),"
            " e.scrollHeight <= e.clientHeight && e.scrollWidth <= e.clientWidth]; }"
        )
        assert box[0] >= 0 and box[2] <= width and box[3] <= height and seen and whole, f"advice cut at {width}"
        rights = page.evaluate(
            "[...document.querySelectorAll('.swf-dialog .swf-bar button')].map(e => e.getBoundingClientRect().right)"
        )
        assert max(rights) <= width
        until(page, "[...document.querySelectorAll('.swf-dialog .swf-side img')].every(i => i.naturalWidth > 0)")
    assert sizes[1600] > 1.5 * sizes[390]
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_timeout(400)
    assert cell_px(page) == sizes[390]


def test_signals_and_grey_buttons_are_told_in_words(page):
    cells = open_run(page)
    texts = [cells.nth(4 * row + 3).locator(".swf-signals span").all_inner_texts() for row in range(3)]
    assert texts == [
        ["nearer the style", "keeps its prompt", "own layout"],
        ["farther from the style", "loses its prompt", "layout partly alike"],
        ["style as before", "keeps its prompt", "copies the layout"],
    ]
    title = cells.nth(3).locator(".swf-signals span").first.get_attribute("title") or ""
    assert "CLIP" in title and "Here −0.20, plain model −0.30." in title
    assert cells.nth(4 * 2 + 3).locator(".swf-warn").all_inner_texts() == ["copies the layout"]

    accept, hint = page.locator(".swf-dialog .swf-bar button").first, page.locator(".swf-dialog .swf-hint")
    assert accept.is_enabled() and not hint.is_visible()
    size = cell_px(page)
    cells.nth(0).click()
    assert (
        accept.is_disabled() and "plain model" in hint.inner_text() and "plain model" in accept.get_attribute("title")
    )
    page.wait_for_timeout(200)
    assert cell_px(page) == size  # the line has its room already
    b.shot(page, f"screens {page.label} plain")
    cells.nth(1).click()
    until(page, "document.querySelector('.swf-dialog .swf-cell[data-verdict=accepted]')")
    assert accept.is_enabled() and not hint.is_visible()
    page.keyboard.press("z")


def test_picks_that_nothing_learns_from_yet_are_kept_and_the_button_says_so(page):
    cells = open_run(page)
    submit = page.locator(".swf-dialog .swf-go")
    assert submit.inner_text() == "Train on"
    page.keyboard.press("g")
    until(page, "document.querySelector('.swf-dialog .swf-go').textContent === 'Picks kept'")
    assert submit.is_disabled() and "Queue the graph" in page.locator(".swf-dialog .swf-status").inner_text()
    cells.nth(2).click()
    until(page, "document.querySelector('.swf-dialog .swf-go').textContent === 'Train on'")
    assert submit.is_enabled()
    page.keyboard.press("z")
    until(page, "!document.querySelector('.swf-dialog .swf-cell[data-verdict=accepted]')")


def test_keys_are_the_dialogs_own_and_nothing_is_left_on_the_page(page):
    names = set(page.evaluate("Object.keys(window)"))
    open_run(page)
    until(
        page, "held.size > 0 && [...document.querySelectorAll('.swf-dialog .swf-cell img')].every(i => i.naturalWidth)"
    )
    page.mouse.click(3, 3)  # beside the dialog: the focus must not get lost
    page.wait_for_timeout(100)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Escape")
    until(page, "!document.querySelector('.swf-dialog')")
    assert page.evaluate("held.size") == 0
    assert page.evaluate("[...new Set(listeners)]") == ["pagehide"]
    assert {n for n in page.evaluate("Object.keys(window)") if "swf" in n.lower()} == set()
    assert set(page.evaluate("Object.keys(window)")) - names == set()
    ours = page.evaluate(
        "[...document.querySelectorAll('body > *, head > *')].filter(e => /swf/.test(e.outerHTML)).length"
    )
    assert ours == 1  # the corner, empty
    assert page.locator(".swf-corner").inner_text() == ""
