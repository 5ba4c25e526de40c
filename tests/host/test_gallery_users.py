"""The gallery on a ComfyUI with users (`--multi-user`): two people in two browsers, each with runs of their own."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from swf_core.learn import picks

from support import browser as b
from support.comfy_host import free_port, new_base, serve
from support.comfy_server import Server
from support.gallery_loop import idle, loop, put_style_picture, until
from support.made_runs import make_run

pytestmark = pytest.mark.browser
SEEN = """
() => {
  const seen = [];
  for (const kind of ['show', 'wait', 'done', 'picks'])
    app.api.addEventListener(`swf.gallery.${kind}`, ({ detail }) => seen.push([kind, detail.token]));
  app.seenByTest = seen;
}
"""
SHOWN = "[...document.querySelectorAll('.swf-dialog .swf-cell img')].filter(i => i.naturalWidth > 0).length"


@pytest.fixture(scope="module", params=["own, classic", "newest, Vue"])
def shared(request, host, tmp_path_factory) -> Iterator[tuple[Server, bool]]:
    """A ComfyUI with users, and whether its pages draw Vue nodes."""
    folder = new_base(tmp_path_factory.mktemp("users"))
    put_style_picture(folder)
    front = ["--front-end-root", str(b.newest_frontend(host))] if request.param.startswith("newest") else []
    server, process = serve(host, folder, free_port(), "--multi-user", *front)
    yield server, request.param.endswith("Vue")
    process.terminate()
    process.wait(30)


def log_in(chrome: Any, server: Server, name: str, vue: bool) -> tuple[Any, str]:
    """A page of a user in a browser of that user's own, chosen as a person does; and the user's id."""
    context = chrome.new_context()
    page = context.new_page()
    page.set_viewport_size({"width": 1400, "height": 900})
    page.goto(server.url)
    page.locator("#new-user-input").fill(name)
    page.get_by_role("button", name="Next").click()
    b.ready(page)
    if vue:
        page.evaluate("app.extensionManager.setting.set('Comfy.VueNodes.Enabled', true)")
        page.reload()
        b.ready(page)
    page.evaluate(SEEN)
    return page, page.evaluate("app.api.user")


def runs_of(server: Server, user: str) -> Path:
    return server.base / "user" / user / "swf_runs"


def status(server: Server, path: str, user: str | None, body: Any = None) -> int:
    """The answer's status to a request of a user, or of nobody."""
    headers = ({"comfy-user": user} if user else {}) | ({"Content-Type": "application/json"} if body else {})
    request = urllib.request.Request(server.url + path, json.dumps(body).encode() if body else None, headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def test_each_user_sees_and_changes_their_own_runs_alone(chrome, shared):
    server, vue = shared
    anna_page, anna = log_in(chrome, server, "Anna", vue)
    ben_page, ben = log_in(chrome, server, "Ben", vue)
    b.build(anna_page, loop("same name"))
    b.queue(anna_page)
    b.cells(anna_page)
    until(anna_page, f"{SHOWN} === 6")
    run = runs_of(server, anna) / "same name"
    anna_page.locator(".swf-dialog .swf-cell").nth(1).click()
    until(anna_page, "document.querySelector('.swf-dialog .swf-cell[data-verdict=accepted]')")
    for _ in range(100):
        if picks.read_picks(run)["accepted"]:
            break
        anna_page.wait_for_timeout(50)
    (picked,) = picks.read_picks(run)["accepted"]
    b.shot(anna_page, f"users, Anna{' Vue' if vue else ''}")
    token = anna_page.evaluate("app.seenByTest[0][1]")
    check_that_the_other_is_refused(server, token, picked, ben, anna)
    assert picks.read_picks(run)["accepted"] == [picked]
    assert ben_page.evaluate("app.seenByTest") == []
    assert not ben_page.locator(".swf-dialog, .swf-chip").count()
    anna_page.keyboard.press("g")
    assert idle(server)["status"]["status_str"] == "success"

    anna_saw = len(anna_page.evaluate("app.seenByTest"))
    b.build(ben_page, loop("same name"))  # the very same graph: a run of his own all the same
    b.queue(ben_page)
    b.cells(ben_page)
    until(ben_page, f"{SHOWN} === 6")
    assert not ben_page.locator(".swf-dialog .swf-cell[data-verdict=accepted]").count()
    assert (runs_of(server, ben) / "same name" / "run.json").is_file()
    ben_page.keyboard.press("ArrowDown")
    ben_page.keyboard.press("x")
    until(ben_page, "document.querySelector('.swf-dialog .swf-cell[data-verdict=rejected]')")
    b.shot(ben_page, f"users, Ben{' Vue' if vue else ''}")
    assert picks.read_picks(run)["accepted"] == [picked] and not picks.read_picks(run)["rejected"]
    assert len(anna_page.evaluate("app.seenByTest")) == anna_saw
    b.quiet(server)
    idle(server)
    assert not (server.base / "output" / "swf_runs").exists()


def check_that_the_other_is_refused(server: Server, token: str, picture: str, other: str, owner: str) -> None:
    here = f"/swf/gallery/{token}"
    (wait,) = (w["wait"] for w in overview(server, owner)["waits"])
    assert status(server, f"{here}/picture/{picture}?px=64", owner) == 200
    for path, body in (
        (here, None),
        (f"{here}/picture/{picture}", None),
        (f"{here}/picture/{picture}?px=64", None),
        (f"{here}/judge", {"reject": [picture]}),
        (f"{here}/caption", {"id": picture, "caption": "mine"}),
        (f"{here}/go", {"step": 2}),
    ):
        assert status(server, path, other, body) == 404, path
        assert status(server, path, None, body) == 403, path
        assert status(server, path, "nobody", body) == 403, path
    assert status(server, f"/swf/gallery/waits/{wait}", other, {"open": False}) == 410
    assert overview(server, other) | {"server": ""} == {"server": "", "runs": [], "waits": []}


def overview(server: Server, user: str) -> dict[str, Any]:
    request = urllib.request.Request(f"{server.url}/swf/gallery", headers={"comfy-user": user})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def test_a_run_that_no_page_asked_for_lies_with_the_outputs_and_in_nobodys_gallery(chrome, shared):
    server, vue = shared
    page, user = log_in(chrome, server, "Cleo", vue)
    make_run(runs_of(server, user) / "her own")
    make_run(server.run_folder("headless"), seed=2)  # as without users, and before there were any
    page.evaluate("app.extensionManager.command.execute('StyleWallfacer.Gallery.Open')")
    b.cells(page)
    assert page.locator(".swf-dialog select option").all_inner_texts() == ["her own"]
    until(page, f"{SHOWN} === 6")
    page.context.close()
