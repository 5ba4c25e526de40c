"""Under which names the gallery answers: this machine's and those it was started for. On a bare server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.gallery_server import gallery_server, request
from support.made_runs import make_run
from support.pack import pack

host_names = pack("nodes.host.gallery.host_names")


@pytest.fixture
def runs(tmp_path) -> Path:
    return tmp_path / "a secret folder" / "swf_runs"


@pytest.fixture
def server(runs) -> Iterator[tuple[str, str, list[str]]]:
    """URL, the path of a run, its samples."""
    samples = make_run(runs / "a run", plain=True)
    with gallery_server(runs) as url:
        (run,) = request(url, "GET", "/swf/gallery")[1]["runs"]
        yield url, f"/swf/gallery/{run['token']}", samples


def is_a_sentence(answer: Any) -> bool:
    return isinstance(answer, dict) and answer["error"].endswith(".") and "secret" not in answer["error"]


REFUSED = ("rebound.example", "localhost.rebound.example", "127.0.0.1.rebound.example", "10.0.0.1.rebound.example:80")


@pytest.mark.parametrize("host", [*REFUSED, "[", "[::1", ":80", "a:b:c", "x" * 300])
def test_a_name_that_the_server_was_not_started_for_is_refused_though_host_and_origin_agree(server, host):
    url, run, (name, *_) = server
    headers = {"Host": host, "Origin": f"http://{host}"}
    for method, path, body in (
        ("GET", run, None),
        ("GET", f"{run}/picture/{name}", None),
        ("POST", f"{run}/judge", {"accept": [name]}),
    ):
        for each in (headers, {"Host": host}):
            status, answer = request(url, method, path, body, each)
            assert status in {400, 403} and is_a_sentence(answer)
    if host in REFUSED:
        assert f"{host_names.VARIABLE}={host.removesuffix(':80')}" in answer["error"]


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST:8188", "a.localhost:1", "127.0.0.1", "127.8.8.8:9", "[::1]:8188", "192.168.1.5:8188"],
)
def test_loopback_and_addresses_are_answered(server, host):
    url, run, _ = server
    assert request(url, "GET", run, headers={"Host": host, "Origin": f"http://{host.lower()}"})[0] == 200
    assert request(url, "GET", run, headers={"Host": host, "Origin": "http://other.example"})[0] == 403


def test_the_names_that_the_server_was_started_for(monkeypatch, runs):
    import socket

    machine = socket.gethostname()
    monkeypatch.setenv(host_names.VARIABLE, " Studio.example , .team.example")
    names = host_names.allowed_names("0.0.0.0,render-box", "https://front.example:5173")
    right = (machine, "studio.example", "a.team.example", "render-box", "front.example", "127.0.0.1")
    assert all(host_names.is_allowed(name.lower(), names) for name in right)
    assert not any(host_names.is_allowed(name, names) for name in ("team.example", "xstudio.example", "example", "com"))
    monkeypatch.setenv(host_names.VARIABLE, "")
    assert not host_names.is_allowed("studio.example", host_names.allowed_names())
    assert host_names.is_allowed("studio.example", host_names.allowed_names(cors_origin="*"))
    make_run(runs / "a run")
    with gallery_server(runs, host_names=names, origin="https://front.example:5173") as url:
        of = {"Host": "studio.example", "Origin": "https://front.example:5173", "Sec-Fetch-Site": "cross-site"}
        assert request(url, "GET", "/swf/gallery", headers=of)[0] == 200
        assert request(url, "GET", "/swf/gallery", headers=of | {"Origin": "https://front.example"})[0] == 403


def test_a_page_over_https_is_answered_under_any_name(server):
    url, run, _ = server
    proxy = {"Host": "pod-8188.proxy.example", "Origin": "https://pod-8188.proxy.example"}
    assert request(url, "GET", run, headers=proxy | {"Sec-Fetch-Site": "same-origin"})[0] == 200
    assert request(url, "GET", run, headers=proxy | {"Sec-Fetch-Site": "cross-site"})[0] == 403


@pytest.mark.browser
def test_a_browser_that_was_led_here_under_another_name_is_refused(server):
    """That browsers say `Sec-Fetch-Site` to no page of plain HTTP under a name is what the rule stands on."""
    from support.browser import browsing

    url, run, _ = server
    port = url.rpartition(":")[2]
    with browsing("--host-resolver-rules=MAP rebound.example 127.0.0.1") as chrome:
        page = chrome.new_page()
        assert page.goto(f"http://rebound.example:{port}{run}").status == 403
        asked = page.evaluate("async (path) => (await fetch(path)).status", run)
        picked = page.evaluate(
            "async (path) => (await fetch(path, {method: 'POST', body: '{}', "
            "headers: {'Content-Type': 'application/json'}})).status",
            f"{run}/judge",
        )
        assert (asked, picked) == (403, 403)
        assert page.goto(f"http://localhost:{port}{run}").status == 200
