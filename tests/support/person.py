"""A person at ComfyUI's page: what they click, choose and drag with a real mouse, every action counted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

# Where a widget of a node stands in the window, classic nodes.
AT = """([title, name]) => {
  const node = app.graph.nodes.find(node => node.title.startsWith(title));
  const widget = node.widgets.find(widget => widget.name === name || widget.label === name);
  const canvas = app.canvas.canvas.getBoundingClientRect(), {offset, scale} = app.canvas.ds;
  const x = node.pos[0] + node.size[0] / 2, y = node.pos[1] + widget.last_y + 10;
  return [canvas.x + (x + offset[0]) * scale, canvas.y + (y + offset[1]) * scale];
}"""


class Person:
    """Acts on a page; `actions` lists what was done: a click, drag, drop, key chord, scroll or typed text each."""

    def __init__(self, page: Any):
        self.page, self.actions = page, []

    def click(self, target: Any, what: str) -> None:
        """Click an element, which must be in sight: whoever has to scroll says so."""
        box = target.bounding_box()
        size = self.page.viewport_size
        assert box and 0 <= box["y"] and box["y"] + box["height"] <= size["height"], f"{what} is out of sight"
        target.click()
        self.actions.append(f"click {what}")

    def scroll(self, target: Any, pixels: int, what: str) -> None:
        """Turn the wheel over an element."""
        target.hover()
        self.page.mouse.wheel(0, pixels)
        self.page.wait_for_timeout(500)
        self.actions.append(f"scroll {what}")

    def type(self, text: str) -> None:
        """Type text where the cursor is."""
        self.page.keyboard.type(text)
        self.actions.append(f"type {text}")

    def choose_file(self, title: str, widget: str, path: Path) -> None:
        """Click a node's button and choose a file in the window that opens: two actions."""
        x, y = self._place(title, widget)
        with self.page.expect_file_chooser(timeout=30_000) as chosen:
            self.page.mouse.move(x, y)
            self.page.wait_for_timeout(500)  # a busy page sees the mouse arrive before it sees the click
            self.page.mouse.click(x, y, delay=80)
        self.actions.append(f"click {widget} of {title}")
        chosen.value.set_files(path)
        self.actions.append(f"choose {path.name}")

    def _place(self, title: str, widget: str) -> list[float]:
        """Where a widget stands once the view has come to rest."""
        before, place = None, self.page.evaluate(AT, [title, widget])
        while place != before:
            self.page.wait_for_timeout(1000)
            before, place = place, self.page.evaluate(AT, [title, widget])
        return place
