"""The gallery's routes on a bare server (they need aiohttp, which comes with ComfyUI): whatever is asked, and whatever
a run's files hold, the answer is a result or a 4xx with one sentence, and tells no path."""

from __future__ import annotations

import gzip
import json
import logging
import traceback
import zlib
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


def faults_of_ours(caplog: Any) -> list[Any]:
    """Logged errors that passed through our code; aiohttp logs for itself the headers and bodies that it refuses."""
    faults = []
    for record in caplog.records:
        frames = traceback.extract_tb(record.exc_info[2]) if record.exc_info else []
        if record.levelno >= logging.ERROR and (not frames or any("gallery" in f.filename for f in frames)):
            faults.append(record)
    return faults


def test_numbers_of_thousands_of_digits_and_other_texts_for_px_are_refused(server):
    url, run, (name, *_) = server
    for px in ("9" * 6000, "0" * 6000, "-64", "+64", "6.4e1", " 64", "%D9%A6%D9%A4", "64&px=x", "", "1e400", "NaN"):
        status, answer = request(url, "GET", f"{run}/picture/{name}?px={px.replace(' ', '%20')}")
        wanted = {200} if px == "64&px=x" else {400}
        assert status in wanted and (status == 200 or is_a_sentence(answer)), px[:10]
    assert request(url, "GET", f"{run}/picture/{name}?px=0")[0] == 200
    assert request(url, "GET", f"{run}/picture/{name}?px=1024")[0] == 200


def test_half_characters_anywhere_in_a_body_are_refused(server, runs):
    url, run, (name, *_) = server
    half = "\ud800"
    for path, body in (
        ("caption", {"id": name, "caption": f"a {half}"}),
        ("caption", {"id": half, "caption": "a"}),
        ("caption", {"id": name, "caption": "a", half: 1}),
        ("judge", {"accept": [half * 16]}),
        ("go", {"step": half}),
    ):
        status, answer = request(url, "POST", f"{run}/{path}", body)
        assert status == 400 and is_a_sentence(answer), path
    for path, body in (("client", {"client": half}), ("waits/x", {"open": half})):
        assert request(url, "POST", f"/swf/gallery/{path}", body)[0] == 400
    assert not (runs / "a run" / "picks.json").exists()
    assert request(url, "POST", f"{run}/caption", {"id": name, "caption": "a whole 😀"})[0] == 200


def test_a_body_that_is_not_what_its_headers_say_is_refused(server, caplog):
    url, run, (name, *_) = server
    good = json.dumps({"accept": [name]}).encode()
    for encoding, data in (
        ("gzip", good),
        ("gzip", gzip.compress(good)[:-12]),
        ("deflate", good),
        ("deflate", zlib.compress(good)[:-6]),
        ("gzip", gzip.compress(b" " * 1_000_000 + good)),
    ):
        status, answer = request(url, "POST", f"{run}/judge", data, {"Content-Encoding": encoding})
        assert status in {400, 413, 415}, (encoding, status, answer)
    for data in (good.decode().encode("utf-16")[:-1], b"\xff", b"", b"\x00", b"{", b"[1", b'"a', b"1" * 5000):
        status, answer = request(url, "POST", f"{run}/judge", data)
        assert status == 400 and is_a_sentence(answer), data[:10]
    for charset in ("none", "utf-16", '"', ""):
        content_type = {"Content-Type": f"application/json; charset={charset}"}
        assert request(url, "POST", f"{run}/judge", b"\xff\xff", content_type)[0] == 400
    assert not faults_of_ours(caplog)
    assert request(url, "POST", f"{run}/judge", gzip.compress(good), {"Content-Encoding": "gzip"})[0] == 200


@pytest.mark.parametrize(
    "origin", ["http://[", "http://a:99999", "http://", "://", "null", "é", "http://[::1", "file://", "a" * 5000]
)
def test_an_origin_that_is_none_is_another_page(server, origin):
    url, run, _ = server
    status, answer = request(url, "GET", run, headers={"Origin": origin.encode("latin-1").decode("latin-1")})
    assert status == 403 and is_a_sentence(answer)


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


WRONG = (
    "",
    "null",
    "7",
    "[]",
    "{}",
    '"a"',
    "[1, null]",
    '[{"id": 1}]',
    '{"accepted": 3, "captions": []}',
    "[[[",
    "\x00",
)
DEEPER: dict[str, tuple[Any, ...]] = {
    "picks.json": ({"accepted": [{}]}, {"captions": {"a": 1}}, {"answered": "x"}, {"version": "1"}, {"version": None}),
    "samples.json": ([{"id": "0" * 16}], [{"id": "0" * 16, "file": "../../run.json", "step": 1}], [{"step": []}]),
    "signals.json": ([{"step": 1, "style": "near"}], [{"step": 1, "style": [None]}], [{"validation": float("nan")}]),
    "run.json": ({"format": 1}, {"format": 1, "data": 3}, {"format": "1"}, {"format": 1, "model": "mini"}),
}


@pytest.mark.parametrize("file", DEEPER)
def test_files_of_a_wrong_shape_are_told_in_a_sentence(server, runs, file, caplog):
    url, run, (name, *_) = server
    path = runs / "a run" / file
    before = path.read_text() if path.exists() else None
    for text in (*WRONG, "[" * 100_000, *map(json.dumps, DEEPER[file])):
        path.write_text(text)
        for method, where, body in (
            ("GET", run, None),
            ("GET", f"{run}/picture/{name}?px=64", None),
            ("GET", "/swf/gallery", None),
            ("POST", f"{run}/judge", {"accept": [name]}),
            ("POST", f"{run}/caption", {"id": name, "caption": "a"}),
            ("POST", f"{run}/go", {"step": 1}),
        ):
            status, answer = request(url, method, where, body)
            assert status == 200 or (400 <= status < 500 and is_a_sentence(answer)), (text[:40], where, status, answer)
            if file == "picks.json":
                path.write_text(text)
    if before is not None:
        path.write_text(before)
    assert not faults_of_ours(caplog)


def test_a_run_of_somebody_else_hands_out_no_file_but_its_own_pictures(server, runs):
    url, run, _ = server
    folder = runs / "a run"
    secret = runs.parent / "secret.png"
    secret.write_bytes(next((folder / "samples").glob("*.png")).read_bytes())
    records = json.loads((folder / "samples.json").read_text())
    for k, file in enumerate(("../../../secret.png", str(secret), "step_000001_00.PNG", "a/step_000001_00.png", "..")):
        records[k]["file"] = file
        (folder / "samples.json").write_text(json.dumps(records))
        status, answer = request(url, "GET", f"{run}/picture/{records[k]['id']}")
        assert (status == 404 and is_a_sentence(answer)) or answer != secret.read_bytes()
        records[k]["file"] = f"step_000000_{k:02d}.png"
    real = folder / "samples" / records[0]["file"]
    (folder / "samples.json").write_text(json.dumps(records))
    real.unlink()
    real.symlink_to(secret)  # a packed folder may hold links
    status, answer = request(url, "GET", f"{run}/picture/{records[0]['id']}")
    assert status == 404 and is_a_sentence(answer)
    real.unlink()
    real.write_text("no picture")
    for px in ("", "?px=64"):
        status, answer = request(url, "GET", f"{run}/picture/{records[0]['id']}{px}")
        assert status == 404 and is_a_sentence(answer)
