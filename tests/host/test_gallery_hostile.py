"""Hostile requests to the gallery of a running ComfyUI: each gets a 4xx and changes nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from support.gallery_server import request
from support.made_runs import make_run


@pytest.fixture(scope="module")
def known(server) -> tuple[str, list[str], Path]:
    """A run's token, its samples, its folder."""
    folder = server.run_folder("hostile")
    samples = make_run(folder)
    token = next(r["token"] for r in server.get("/swf/gallery")["runs"] if r["name"] == "hostile")
    return token, samples, folder


def hostile(token: str, name: str) -> list[tuple[str, str, str, Any, dict[str, str], set[int]]]:
    """What was tried: a word on it, method, path, body, headers, and the answers that are right."""
    good = {"accept": [name]}
    here = f"/swf/gallery/{token}"
    return [
        ("path for a token", "GET", "/swf/gallery/..%2f..%2fuser", None, {}, {400, 403, 404}),
        ("path for a token", "GET", "/swf/gallery/%2e%2e/%2e%2e/models", None, {}, {400, 403, 404}),
        ("path for a picture", "GET", f"{here}/picture/..%2f..%2frun.json", None, {}, {400, 403, 404}),
        ("path for a picture", "GET", f"{here}/picture/run.json", None, {}, {400}),
        ("id of another run", "GET", f"{here}/picture/{'0' * 16}", None, {}, {404}),
        ("thousands of digits", "GET", f"{here}/picture/{name}?px={'9' * 5000}", None, {}, {400}),
        ("half a character", "POST", f"{here}/caption", {"id": name, "caption": "\ud800"}, {}, {400}),
        ("not gzip", "POST", f"{here}/judge", json.dumps(good).encode(), {"Content-Encoding": "gzip"}, {400}),
        ("another name", "GET", here, None, {"Host": "rebound.example"}, {403}),
        ("another name", "GET", here, None, {"Host": "rebound.example", "Origin": "http://rebound.example"}, {403}),
        ("another name", "POST", f"{here}/judge", good, {"Host": "rebound.example:80"}, {403}),
        ("huge thumbnail", "GET", f"{here}/picture/{name}?px=100000", None, {}, {400}),
        ("negative thumbnail", "GET", f"{here}/picture/{name}?px=-1", None, {}, {400}),
        ("odd digits", "GET", f"{here}/picture/{name}?px=%C2%B2", None, {}, {400}),
        ("unknown token", "GET", "/swf/gallery/AAAAAAAAAAAAAAAAAAAAAA", None, {}, {404}),
        ("unknown token", "POST", "/swf/gallery/AAAAAAAAAAAAAAAAAAAAAA/judge", good, {}, {404}),
        ("expired wait", "POST", "/swf/gallery/waits/AAAAAAAAAAAAAAAAAAAAAA", {"open": True}, {}, {410}),
        ("foreign page", "GET", here, None, {"Origin": "http://evil.example"}, {403}),
        ("foreign page", "POST", f"{here}/judge", good, {"Origin": "http://evil.example"}, {403}),
        ("foreign port", "POST", f"{here}/judge", good, {"Origin": "http://127.0.0.1:1"}, {403}),
        ("no origin", "POST", f"{here}/judge", good, {"Origin": "null"}, {403}),
        ("foreign frame", "GET", f"{here}/picture/{name}", None, {"Sec-Fetch-Site": "cross-site"}, {403}),
        ("a form", "POST", f"{here}/judge", b"accept=1", {"Content-Type": "application/x-www-form-urlencoded"}, {415}),
        ("plain text", "POST", f"{here}/judge", json.dumps(good).encode(), {"Content-Type": "text/plain"}, {415}),
        ("no type", "POST", f"{here}/judge", json.dumps(good).encode(), {"Content-Type": ""}, {415}),
        ("huge", "POST", f"{here}/judge", b'{"accept": ["' + b"0" * 200_000 + b'"]}', {}, {413}),
        ("huge caption", "POST", f"{here}/caption", {"id": name, "caption": "x" * 3000}, {}, {400}),
        ("deep", "POST", f"{here}/judge", b"[" * 50_000, {}, {400}),
        ("no JSON", "POST", f"{here}/judge", b"\xff\xfe{", {}, {400}),
        ("no object", "POST", f"{here}/judge", [good], {}, {400}),
        ("no list", "POST", f"{here}/judge", {"accept": name}, {}, {400}),
        ("no ids", "POST", f"{here}/judge", {"accept": [1, None, {}]}, {}, {400}),
        ("path as id", "POST", f"{here}/judge", {"accept": ["../../../../etc/pw"]}, {}, {400}),
        ("unknown id", "POST", f"{here}/judge", {"accept": ["0" * 16]}, {}, {400}),
        ("both", "POST", f"{here}/judge", {"accept": [name], "reject": [name]}, {}, {400}),
        ("too many", "POST", f"{here}/judge", {"forget": [name] * 501}, {}, {400}),
        ("other keys", "POST", f"{here}/judge", {"accept": [name], "path": "/etc"}, {}, {400}),
        ("nothing", "POST", f"{here}/judge", {}, {}, {400}),
        ("caption no text", "POST", f"{here}/caption", {"id": name, "caption": ["x"]}, {}, {400}),
        ("step no number", "POST", f"{here}/go", {"step": "2"}, {}, {400}),
        ("step true", "POST", f"{here}/go", {"step": True}, {}, {400}),
        ("step beyond", "POST", f"{here}/go", {"step": 10**9}, {}, {400}),
        ("wrong method", "PUT", f"{here}/judge", good, {}, {405}),
        ("wrong method", "GET", f"{here}/judge", None, {}, {404, 405}),
    ]


def test_hostile_requests_get_a_4xx_and_change_nothing(server, known):
    token, ids, folder = known
    before = {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in folder.rglob("*") if p.is_file()}
    logged = len(server.log.read_text())
    wrong = []
    for word, method, path, body, headers, right in hostile(token, ids[1]):
        status, answer = request(server.url, method, path, body, headers)
        if status not in right or "Traceback" in str(answer):
            wrong.append((word, path, status, answer))
    assert not wrong
    after = {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in folder.rglob("*") if p.is_file()}
    assert after == before
    assert "Traceback" not in server.log.read_text()[logged:]
