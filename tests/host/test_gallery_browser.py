"""The Human Feedback Gallery as a person uses it: the real ComfyUI, its real page, a real Chromium.

Screenshots of each station lie in out/screenshots after a run.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from swf_core.learn import picks
from swf_core.learn.run import open_run
from swf_core.measure.benches.lessons import lessons
from swf_core.pictures import save

from support import browser as b
from support.comfy_host import free_port, new_base, serve
from support.comfy_server import Server

pytestmark = pytest.mark.browser
PROMPTS = "a red cat in the snow\na blue boat by the sea\na green tree on the sand"
FRONTENDS = ("own, classic", "own, Vue", "newest, classic", "newest, Vue")


def loop(name: str, steps: int = 2, **gallery: Any) -> b.Graph:
    """Picture, data set, two steps of training, gallery, one more step."""
    return {
        "mini": ("SWF_MiniLoader", {}),
        "picture": ("LoadImage", {"image": "gallery.png"}),
        "data": ("SWF_StyleDataset", {"image": ["picture", 0], "captions": "a blue teapot on the grass"}),
        "train": (
            "SWF_LoraTrain",
            {
                "model": ["mini", 0],
                "clip": ["mini", 1],
                "vae": ["mini", 2],
                "dataset": ["data", 0],
                "run_name": name,
                "steps": steps,
                "rank": 2,
                "sample_every": 2,
                "prompts": PROMPTS,
            },
        ),
        "gallery": ("SWF_FeedbackGallery", {"run": ["train", 5], **gallery}),
        "more": (
            "SWF_TrainOn",
            {"model": ["mini", 0], "clip": ["mini", 1], "vae": ["mini", 2], "run": ["gallery", 0], "steps": 1},
        ),
    }


@pytest.fixture(scope="module", autouse=True)
def picture(base) -> None:
    save(base / "input" / "gallery.png", lessons(1, 1)[0].picture)


@pytest.fixture(scope="module")
def newest(host, tmp_path_factory) -> Iterator[Server]:
    """A ComfyUI with the newest front end."""
    folder = new_base(tmp_path_factory.mktemp("newest"))
    save(folder / "input" / "gallery.png", lessons(1, 1)[0].picture)
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


def idle(server: Server, seconds: float = 90) -> dict[str, Any]:
    """Wait until nothing runs; the last history entry."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        queue = server.get("/queue")
        if not queue["queue_running"] and not queue["queue_pending"]:
            return list(server.get("/history").values())[-1]
        time.sleep(0.2)
    raise AssertionError("still running: " + server.log.read_text()[-2000:])


def until(page: Any, condition: str) -> None:
    page.wait_for_function(f"() => {condition}", timeout=180_000)  # a training on a busy machine


def picks_file(server: Server, name: str) -> dict[str, Any]:
    return picks.read_picks(server.run_folder(name))


def saved_picks(page: Any, server: Server, name: str, accepted: int, rejected: int) -> dict[str, Any]:
    """What is on file once as many picks are."""
    for _ in range(300):
        picks_on_file = picks_file(server, name)
        if (len(picks_on_file["accepted"]), len(picks_on_file["rejected"])) == (accepted, rejected):
            return picks_on_file
        page.wait_for_timeout(50)
    b.shot(page, "not saved")
    raise AssertionError(picks_on_file)


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
    page.keyboard.press("g")
    last = idle(server)
    assert last["status"]["status_str"] == "success", last["status"]
    assert open_run(server.run_folder(name)).rounds[1]["picks"] == picks_on_file["accepted"]
    page.keyboard.press("Escape")
    page.wait_for_timeout(400)
    b.shot(page, f"after {label}")
    context.close()


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
    graph = json.loads((b.ROOT / "workflows" / "mini teach a style.json").read_text())
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


def test_two_queued_prompts_are_not_mixed_up_and_minimising_cancels_nothing(chrome, server):
    page = b.open_page(chrome, server)
    for name in ("first", "second"):
        b.build(page, loop(f"queued {name}"))
        b.queue(page)
    b.cells(page).nth(1).click()
    picks_on_file = saved_picks(page, server, "queued first", 1, 0)
    page.keyboard.press("Escape")
    chip = page.locator(".swf-chip")
    chip.wait_for()
    assert server.get("/queue")["queue_running"] and "queued first" in (chip.text_content() or "")
    chip.click()
    b.cells(page)
    page.keyboard.press("g")
    until(page, "document.querySelector('.swf-dialog select')?.selectedOptions[0]?.text === 'queued second'")
    b.cells(page).nth(3).click()
    other = saved_picks(page, server, "queued second", 1, 0)
    page.keyboard.press("g")
    idle(server)
    rounds = [open_run(server.run_folder(f"queued {n}")).rounds[1]["picks"] for n in ("first", "second")]
    assert rounds == [picks_on_file["accepted"], other["accepted"]]


def test_cancel_keeps_the_picks(chrome, server):
    page = b.open_page(chrome, server)
    b.build(page, loop("cancelled picks"))
    b.queue(page)
    b.cells(page).nth(1).click()
    saved_picks(page, server, "cancelled picks", 1, 0)
    page.evaluate("fetch('/interrupt', {method: 'POST'})")
    last = idle(server)
    assert "execution_interrupted" in [kind for kind, _ in last["status"]["messages"]]
    until(page, "document.querySelector('.swf-dialog .swf-status').textContent.startsWith('Cancelled')")
    b.shot(page, "cancelled")
    assert len(picks_file(server, "cancelled picks")["accepted"]) == 1
    assert len(open_run(server.run_folder("cancelled picks")).rounds) == 1


def report_of(history: dict[str, Any]) -> str:
    return next(o["text"][0] for o in history["outputs"].values() if "swf_gallery" in o)


def test_time_runs_out_and_a_closed_page_each_have_an_outcome(chrome, server):
    page = b.open_page(chrome, server)
    b.build(page, loop("in time", timeout=8.0))
    b.queue(page)
    b.cells(page)
    clock = page.locator(".swf-dialog .swf-clock")
    time_left = clock.inner_text()
    assert time_left in {f"0:0{seconds} left" for seconds in range(1, 9)}
    b.shot(page, "time left")
    page.wait_for_timeout(1100)
    # Drawn again, from the answer before.
    page.locator(".swf-dialog input[type=range]").dispatch_event("input")
    assert clock.inner_text() < time_left
    last = idle(server)
    assert last["status"]["status_str"] == "success"
    assert "nobody answered for 8 s: the saved picks: 0 accepted" in report_of(last)
    until(page, "document.querySelector('.swf-dialog .swf-status').textContent.startsWith('Time ran out')")
    assert clock.inner_text() == ""

    page.keyboard.press("Escape")
    b.build(page, loop("closed", otherwise="auto", count=1))
    b.queue(page)
    until(page, "document.querySelector('.swf-dialog select')?.selectedOptions[0]?.text === 'closed'")
    b.cells(page)
    page.close(run_before_unload=False)
    last = idle(server)
    assert "the page was closed: 1 samples picked automatically: 1 accepted" in report_of(last)


def test_the_server_dies_in_the_middle_and_nothing_is_lost(chrome, host, tmp_path):
    folder = new_base(tmp_path)
    save(folder / "input" / "gallery.png", lessons(1, 1)[0].picture)
    port = free_port()
    server, process = serve(host, folder, port)
    try:
        page = b.open_page(chrome, server)
        b.build(page, loop("killed"))
        b.queue(page)
        b.cells(page).nth(1).click()
        picks_on_file = saved_picks(page, server, "killed", 1, 0)
        process.kill()
        process.wait()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")  # not kept, and the gallery says so
        until(page, "document.querySelector('.swf-dialog .swf-status').textContent.startsWith('Not kept')")
        assert page.locator(".swf-dialog .swf-cell[data-verdict=accepted]").count() == 1
        b.shot(page, "server away")
        server, process = serve(host, folder, port)
        until(page, "document.querySelector('.swf-dialog .swf-status').textContent.startsWith('The server was')")
        assert picks_file(server, "killed") == picks_on_file
        page.keyboard.press("Escape")
        b.queue(page)
        page.wait_for_selector(".swf-dialog .swf-cell[data-verdict=accepted]", timeout=90_000)
        page.keyboard.press("g")
        assert idle(server)["status"]["status_str"] == "success"
        assert open_run(server.run_folder("killed")).rounds[1]["picks"] == picks_on_file["accepted"]
    finally:
        process.kill()
        process.wait()
