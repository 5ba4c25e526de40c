"""The gallery's page itself: many samples, many openings, other themes, widths and languages."""

from __future__ import annotations

import pytest

from support import browser as b
from support.made_runs import make_run

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def nothing_waits(server) -> None:
    b.quiet(server)


OPENED = """
async () => {
  const began = performance.now();
  app.extensionManager.command.execute('StyleWallfacer.Gallery.Open');
  const allShown = () => {
    const box = document.querySelector('.swf-dialog .swf-grid')?.getBoundingClientRect();
    const all = [...document.querySelectorAll('.swf-dialog .swf-cell img')];
    const visible = all.filter(i => i.getBoundingClientRect().top < box.bottom);
    return all.length === 200 && visible.every(i => i.complete && i.naturalWidth);
  };
  while (!allShown()) await new Promise(requestAnimationFrame);
  return performance.now() - began;
}
"""
SCROLLED = """
async () => {
  const grid = document.querySelector('.swf-dialog .swf-grid');
  const frames = [];
  let before = performance.now();
  for (let k = 0; k < 60; k++) {
    grid.scrollTop = k * 80;
    await new Promise(requestAnimationFrame);
    const now = performance.now();
    frames.push(now - before);
    before = now;
  }
  frames.sort((a, b) => a - b);
  return [frames[30], frames[57]];
}
"""


def test_two_hundred_samples_open_at_once_and_fifty_openings_leave_nothing(chrome, server):
    make_run(server.run_folder("many"), rows=40, steps=5, px=512)
    page = b.open_page(chrome, server)
    first = page.evaluate(OPENED)
    middle, slow = page.evaluate(SCROLLED)
    page.wait_for_timeout(1000)
    b.shot(page, "two hundred")
    devtools = page.context.new_cdp_session(page)

    def heap_and_nodes() -> tuple[float, int]:
        devtools.send("HeapProfiler.collectGarbage")
        metrics = {m["name"]: m["value"] for m in devtools.send("Performance.getMetrics")["metrics"]}
        return metrics["JSHeapUsedSize"] / 2**20, int(metrics["Nodes"])

    devtools.send("Performance.enable")
    sizes = []
    for k in range(50):
        page.keyboard.press("Escape")
        page.wait_for_function("!document.querySelector('.swf-dialog')")
        again = page.evaluate(OPENED)
        if k in (4, 49):
            page.keyboard.press("Escape")
            page.wait_for_timeout(300)
            sizes.append(heap_and_nodes())
            page.evaluate(OPENED)
    print(f"opened in {first:.0f} ms, again in {again:.0f} ms; a scrolled frame {middle:.0f} ms, 95 % {slow:.0f} ms")
    print(f"heap in MiB and DOM nodes after 5 and 50 openings: {sizes}")
    assert first < 1000 and again < 1000 and middle < 34
    assert sizes[1][0] < sizes[0][0] + 3 and sizes[1][1] < sizes[0][1] + 500


@pytest.mark.parametrize("setting", ["light", "phone", "Chinese"])
def test_the_page_in_a_light_theme_on_a_phone_and_in_chinese(chrome, server, setting):
    if not server.run_folder("settings").exists():
        make_run(server.run_folder("settings"), rows=6, steps=3, plain=True)
    page = b.open_page(chrome, server)
    before = page.evaluate("['Comfy.ColorPalette', 'Comfy.Locale'].map(n => app.extensionManager.setting.get(n))")
    try:
        if setting == "light":
            page.evaluate("app.extensionManager.setting.set('Comfy.ColorPalette', 'light')")
        if setting == "phone":
            page.set_viewport_size({"width": 390, "height": 800})
        if setting == "Chinese":
            page.evaluate("app.extensionManager.setting.set('Comfy.Locale', 'zh')")
        page.wait_for_timeout(500)
        page.evaluate("app.extensionManager.command.execute('StyleWallfacer.Gallery.Open')")
        cells = b.cells(page)
        page.wait_for_timeout(500)
        b.shot(page, f"page {setting}")
        wide, inside = page.evaluate(
            "[innerWidth, Math.max(...[...document.querySelectorAll('.swf-dialog .swf-bar button')]"
            ".map(e => e.getBoundingClientRect().right))]"
        )
        assert inside <= wide  # no button is beyond the edge
        label = cells.nth(1).get_attribute("aria-label") or ""
        assert ("步" if setting == "Chinese" else "step") in label
        if setting == "light":
            colors = page.evaluate(
                "[getComputedStyle(document.querySelector('.swf-board')).backgroundColor,"
                " getComputedStyle(document.querySelector('.swf-board')).color]"
            )
            light, dark = (sum(map(int, c[c.index("(") + 1 : -1].split(",")[:3])) for c in colors)
            assert light > 500 > 300 > dark
    finally:
        page.evaluate("v => app.extensionManager.setting.set('Comfy.ColorPalette', v[0])", before)
        page.evaluate("v => app.extensionManager.setting.set('Comfy.Locale', v[1])", before)
