"""The Human Feedback Gallery as a person uses it: the real ComfyUI, its real page, a real Chromium.

Screenshots of each station lie in out/screenshots after a run.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from swf_core.learn.run import open_run

from support import browser as b
from support.comfy_host import free_port, new_base, serve
from support.comfy_server import Server
from support.gallery_loop import idle, loop, picks_file, put_style_picture, saved_picks, until

pytestmark = pytest.mark.browser
FRONTENDS = ("own, classic", "own, Vue", "newest, classic", "newest, Vue")


@pytest.fixture(scope="module", autouse=True)
def picture(base) -> None:
    put_style_picture(base)


@pytest.fixture(scope="module")
def newest(host, tmp_path_factory) -> Iterator[Server]:
    """A ComfyUI with the newest front end."""
    folder = new_base(tmp_path_factory.mktemp("newest"))
    put_style_picture(folder)
    newest_server, process = serve(host, folder, free_port(), "--front-end-root", str(b.newest_frontend(host)))
    yield newest_server
    process.terminate()
    process.wait(30)


@pytest.fixture(autouse=True)
def nothing_waits(server) -> None:
    b.quiet(server)


@pytest.fixture(params=FRONTENDS)
def front(request, server) -> tuple[Server, bool, str]:
    kind, nodes = request.param.split(", ")
    chosen = server if kind == "own" else request.getfixturevalue("newest")
    b.quiet(chosen)
    return chosen, nodes == "Vue", request.param.replace(", ", "-")


def test_pick_by_mouse_and_keys_reload_a_second_tab_and_train_on(chrome, front):
    server, vue, label = front
    name = f"loop {label}"
    context = chrome.new_context()
    page = b.open_page(context, server, vue)
    b.build(page, loop(name))
    b.queue(page)
    pick_by_mouse_and_keys(page, server, name)
    zoom_and_compare(page, label)
    write_a_caption(page, server, name)
    b.shot(page, f"dialog {label}")

    page.reload()  # in the middle: the graph still waits
    b.ready(page)
    page.wait_for_selector(".swf-chip")
    b.shot(page, f"reloaded {label}")
    picks_on_file = pick_in_a_second_tab(page, b.open_page(context, server, vue), server, name)
    train_on(page, server, label)
    assert open_run(server.run_folder(name)).rounds[1]["picks"] == picks_on_file["accepted"]
    context.close()


def train_on(page: Any, server: Server, label: str) -> None:
    """The dialog makes room for the graph that goes on; a chip and the node's button say so until it has ended."""
    page.keyboard.press("g")
    until(page, "!document.querySelector('.swf-dialog')")
    assert "learns from 1 pick…" in page.locator(".swf-chip").inner_text()
    buttons = page.locator(".swf-compact .swf-go")  # none where the host's front end mounts no elements on Vue nodes
    for text, is_enabled in zip(buttons.all_inner_texts(), [each.is_enabled() for each in buttons.all()]):
        assert text == "Training on…" and not is_enabled
    b.shot(page, f"training on {label}")
    last = idle(server)
    assert last["status"]["status_str"] == "success", last["status"]
    until(page, "!document.querySelector('.swf-chip')")
    until(page, "[...document.querySelectorAll('.swf-compact .swf-go')].every(b => b.textContent === 'Train on')")
    page.wait_for_timeout(400)
    b.shot(page, f"after {label}")


def pick_by_mouse_and_keys(page: Any, server: Server, name: str) -> None:
    cells = b.cells(page)
    assert cells.count() == 6  # three prompts, the plain model and step 2
    cells.nth(0).click()  # the plain model's: cannot be picked
    cells.nth(1).click()
    for key in "ArrowDown", "x", "ArrowDown", "Enter":
        page.keyboard.press(key)
    saved_picks(page, server, name, 2, 1)
    page.keyboard.press("z")
    saved_picks(page, server, name, 1, 1)
    page.keyboard.press("Enter")
    saved_picks(page, server, name, 2, 1)


def zoom_and_compare(page: Any, label: str) -> None:
    page.keyboard.press(" ")
    page.wait_for_selector(".swf-viewer img")
    page.locator(".swf-pane div").first.hover()
    page.mouse.wheel(0, -400)
    scales = page.evaluate("[...document.querySelectorAll('.swf-pane img')].map(i => i.style.transform)")
    assert len(scales) == 2 and scales[0] == scales[1] and "scale(2.7" in scales[0]
    b.shot(page, f"zoom {label}")
    page.keyboard.press("Escape")
    for key in "c", "ArrowUp", "c":  # two of them and the style picture
        page.keyboard.press(key)
    until(page, "document.querySelectorAll('.swf-pane img').length === 3")
    b.shot(page, f"compare {label}")
    page.keyboard.press("Escape")


def write_a_caption(page: Any, server: Server, name: str) -> None:
    page.keyboard.press("ArrowDown")
    page.locator(".swf-dialog .swf-side textarea").fill("a green tree <b>of my own</b>")
    page.locator(".swf-dialog .swf-side textarea").blur()
    for _ in range(100):
        if picks_file(server, name)["captions"]:
            break
        page.wait_for_timeout(50)
    assert list(picks_file(server, name)["captions"].values()) == ["a green tree <b>of my own</b>"]


def pick_in_a_second_tab(page: Any, other: Any, server: Server, name: str) -> dict[str, Any]:
    """Reject in the other tab what was accepted in the first, which shows it; the picks on file then."""
    other.wait_for_selector(".swf-chip")
    other.locator(".swf-chip").click()
    assert b.cells(other).nth(1).get_attribute("data-verdict") == "accepted"
    page.locator(".swf-chip").click()
    b.cells(page)
    assert server.get("/queue")["queue_running"]
    other.keyboard.press("x")  # the first prompt's sample, chosen when the gallery opens
    until(page, "document.querySelector('.swf-dialog .swf-cell[data-verdict=rejected]')")
    return saved_picks(page, server, name, 1, 2)


def test_the_shipped_graph_from_one_picture_to_a_repainted_one(chrome, server):
    """As a person runs it: open, run, pick two, train on, and look at what was saved."""
    graph = json.loads((b.ROOT / "workflows" / "8 teach a style, mini.json").read_text())
    page = b.open_page(chrome, server)
    page.evaluate("graph => app.loadGraphData(graph)", graph)
    page.wait_for_timeout(1000)
    b.queue(page)
    cells = page.locator(".swf-dialog .swf-cell")
    page.wait_for_selector(".swf-dialog .swf-cell img", timeout=240_000)
    assert cells.count() == 18
    cells.nth(2).click()
    for key in "ArrowDown", "Enter", "ArrowDown", "x":
        page.keyboard.press(key)
    picks_on_file = saved_picks(page, server, "a negative", 2, 1)
    b.shot(page, "shipped graph, picked")
    page.keyboard.press("g")
    history = idle(server, 300)
    run = open_run(server.run_folder("a negative"))
    assert [r["picks"] for r in run.rounds] == [[], picks_on_file["accepted"]] and run.steps == 140
    images = [p for p in server.pictures(history) if p.parent.name == "StyleWallfacer"]
    assert {p.name.split("_")[0] for p in images} == {"taught, from words", "taught, on a picture"}
    page.keyboard.press("Escape")
    page.wait_for_timeout(500)
    b.shot(page, "shipped graph, done")


@pytest.mark.parametrize("name", ["own, classic", "newest, Vue"])
def test_two_step_ends_and_train_on_takes_it_up(chrome, server, request, name):
    server = server if name.startswith("own") else request.getfixturevalue("newest")
    b.quiet(server)
    run = f"two-step {name.replace(', ', '-')}"
    page = b.open_page(chrome, server, name.endswith("Vue"))
    b.build(page, loop(run, mode="two-step"))
    b.queue(page)
    assert idle(server)["status"]["status_str"] == "success"
    assert len(open_run(server.run_folder(run)).rounds) == 1  # nothing behind the gallery has run
    cells = b.cells(page, ".swf-compact")
    b.shot(page, f"two-step {name.replace(', ', '-')}")
    page.evaluate("app.canvas.ds.scale = 1; app.canvas.setDirty(true, true)")
    cells.nth(1).evaluate("e => e.click()")
    picks_on_file = saved_picks(page, server, run, 1, 0)
    page.locator(".swf-compact .swf-go").evaluate("e => e.click()")
    for _ in range(100):
        if len(open_run(server.run_folder(run)).rounds) == 2:
            break
        page.wait_for_timeout(200)
    last = idle(server)
    assert last["status"]["status_str"] == "success"
    assert open_run(server.run_folder(run)).rounds[1]["picks"] == picks_on_file["accepted"]
