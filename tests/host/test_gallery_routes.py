"""The gallery's routes on a bare server (they need aiohttp, which comes with ComfyUI): whatever is asked, and whatever
a run's files hold, the answer is a result or a 4xx with one sentence, and tells no path."""

from __future__ import annotations

import gzip
import json
import logging
import socket
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.gallery_server import gallery_server, request
from support.made_runs import make_run


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


def test_a_compressed_body_is_read_and_a_broken_or_long_one_refused(server, caplog):
    url, run, (name, *_) = server
    good = json.dumps({"accept": [name]}).encode()
    for encoding, data, wanted in (
        ("gzip", good, {400}),
        ("deflate", good, {400}),
        ("gzip", gzip.compress(b" " * 1_000_000 + good), {400, 413}),
        ("gzip", gzip.compress(good), {200}),
    ):
        status, answer = request(url, "POST", f"{run}/judge", data, {"Content-Encoding": encoding})
        assert status in wanted, (encoding, status, answer)
    assert not faults_of_ours(caplog)


def test_a_body_that_does_not_come_to_its_end_is_refused_in_time(server, caplog):
    url, run, _ = server
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", int(url.rsplit(":", 1)[1])), timeout=30) as connection:
        lines = (
            f"POST {run}/judge HTTP/1.1",
            f"Host: {url[7:]}",
            "Content-Type: application/json",
            "Content-Length: 99",
        )
        connection.sendall("\r\n".join((*lines, "", '{"accept": [')).encode())
        assert b" 408 " in connection.recv(4096).split(b"\r\n")[0]
    assert time.monotonic() - began < 20 and not faults_of_ours(caplog)


def test_a_body_that_is_no_json_of_its_charset_is_refused(server, caplog):
    url, run, (name, *_) = server
    good = json.dumps({"accept": [name]}).encode()
    for data in (good.decode().encode("utf-16")[:-1], b"\xff", b"", b"\x00", b"{", b"[1", b'"a', b"1" * 5000):
        status, answer = request(url, "POST", f"{run}/judge", data)
        assert status == 400 and is_a_sentence(answer), data[:10]
    for charset in ("none", "utf-16", '"', ""):
        content_type = {"Content-Type": f"application/json; charset={charset}"}
        assert request(url, "POST", f"{run}/judge", b"\xff\xff", content_type)[0] == 400
    assert not faults_of_ours(caplog)


@pytest.mark.parametrize(
    "origin", ["http://[", "http://a:99999", "http://", "://", "null", "é", "http://[::1", "file://", "a" * 5000]
)
def test_an_origin_that_is_none_is_another_page(server, origin):
    url, run, _ = server
    status, answer = request(url, "GET", run, headers={"Origin": origin.encode("latin-1").decode("latin-1")})
    assert status == 403 and is_a_sentence(answer)


ODD = (
    "",
    " ",
    "0",
    "-1",
    "1e999",
    "null",
    "..",
    "%2e%2e%2f",
    "%00",
    "%ff",
    "%ed%a0%80",
    "a" * 4000,
    "'",
    "[",
    "{}",
    "\\",
    "*",
)
ODD_JSON = (
    None,
    True,
    -1,
    10**30,
    1.5,
    float("nan"),
    "",
    "a" * 3000,
    "\x00",
    "\ud800",
    "..",
    [],
    [[]],
    [None],
    {},
    {"a": 1},
)
HEADERS = (
    "Host",
    "Origin",
    "Referer",
    "Sec-Fetch-Site",
    "comfy-user",
    "Content-Type",
    "Accept",
    "Accept-Encoding",
    "Range",
)
HEADERS += ("If-None-Match", "If-Modified-Since", "Cookie", "X-Forwarded-Host", "Content-Encoding", "Expect")
BODIES = {"judge": ("accept", "reject", "forget"), "caption": ("id", "caption"), "go": ("step",)}


def test_no_part_of_any_request_makes_the_server_fail(server, caplog):
    url, run, (name, *_) = server
    token = run.rpartition("/")[2]
    asked: list[tuple[str, str, Any, dict[str, str]]] = []
    for odd in ODD:
        for path in (
            f"/swf/gallery/{odd}",
            f"{run}/picture/{odd}",
            f"{run}/picture/{name}?px={odd}",
            f"{run}?{odd}={odd}",
        ):
            asked.append(("GET", path.replace(" ", "%20").replace("\\", "%5c"), None, {}))
        for path in (f"/swf/gallery/{odd}/judge", f"/swf/gallery/waits/{odd}", f"{run}/{odd}"):
            asked.append(("POST", path.replace(" ", "%20").replace("\\", "%5c"), {"open": True}, {}))
        for header in HEADERS:
            asked.append(("GET", f"{run}/picture/{name}?px=64", None, {header: odd}))
            asked.append(("POST", f"{run}/judge", {"forget": [name]}, {header: odd}))
    good = {"accept": [name], "reject": [], "forget": [], "id": name, "caption": "a cat", "step": 1}
    for odd in ODD_JSON:
        for route, fields in BODIES.items():
            asked.append(("POST", f"{run}/{route}", odd, {}))
            for field in fields:
                asked.append(("POST", f"{run}/{route}", {f: good[f] for f in fields} | {field: odd}, {}))
                asked.append(("POST", f"{run}/{route}", {f: good[f] for f in fields} | {field: [odd]}, {}))
        asked.append(("POST", "/swf/gallery/client", {"client": odd}, {}))
        asked.append(("POST", f"/swf/gallery/waits/{token}", {"open": odd}, {}))
    wrong = []
    for method, path, body, headers in asked:
        status, answer = request(url, method, path, json.dumps(body).encode() if method == "POST" else None, headers)
        if status >= 500 or (isinstance(answer, dict) and "error" in answer and not is_a_sentence(answer)):
            wrong.append((method, path[:80], str(body)[:60], str(headers)[:60], status))
    assert not wrong and len(asked) > 800
    assert not faults_of_ours(caplog)


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
