"""Waits of the feedback gallery in the real page: queued, cancelled, timed out, closed, and a server that dies."""

from __future__ import annotations

from typing import Any

import pytest

from swf_core.learn.run import open_run

from support import browser as b
from support.comfy_host import free_port, new_base, serve
from support.gallery_loop import idle, loop, picks_file, put_style_picture, saved_picks, until

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module", autouse=True)
def picture(base) -> None:
    put_style_picture(base)


@pytest.fixture(autouse=True)
def nothing_waits(server) -> None:
    b.quiet(server)


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
    put_style_picture(folder)
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
