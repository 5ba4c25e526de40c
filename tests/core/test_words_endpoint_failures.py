"""An endpoint that answers badly, slowly or not at all: each failure has its sentence, none outlasts its time."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from swf_core.words.strip.llm.endpoint import Endpoint, EndpointMarker

from support.llm_stub import CAPTION, GOOD, Stub, choice, make_marker, refused


@pytest.fixture
def stub() -> Iterator[Stub]:
    stub = Stub()
    yield stub
    stub.stop()


def test_each_failure_is_reported_in_a_sentence_of_its_own(stub: Stub) -> None:
    def broken_off(handler: Any) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(b'{"choices')

    def vanished(handler: Any) -> None:
        handler.close_connection = True

    def no_http(handler: Any) -> None:
        handler.wfile.write(b"SSH-2.0-OpenSSH\r\n")

    def huge(handler: Any) -> None:
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(b" " * 1_100_000)

    def elsewhere(handler: Any) -> None:
        handler.send_response(307)
        handler.send_header("Location", "http://192.0.2.1/v1/chat/completions")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    sentences = set()
    for reply, match in (
        ((500, {"error": {"message": "CUDA\nout of memory"}}), r"HTTP 500 \('CUDA out of memory'\); see"),
        ((503, b"<html>"), "HTTP 503; see the server's log"),
        ((401, {"error": "no"}), "HTTP 401: it wants a key; name the variable"),
        ((403, b""), "HTTP 403: it wants a key"),
        ((404, {"error": "no"}), "HTTP 404: it has no model 'm', or"),
        ((429, {}), "HTTP 429: too many"),
        ((418, {}), "HTTP 418; is it"),
        ((200, b"<html>hello</html>"), "no JSON"),
        ((200, b"[" * 100_000), "no JSON"),
        ((200, {"choices": []}), "without any choices"),
        ((200, {"error": "the model is loading"}), r"without any choices \('the model is loading'\)"),
        ((200, [1]), "without any choices"),
        ((200, {"choices": [{"message": "hi"}]}), "without any choices"),
        (broken_off, "no complete HTTP answer"),
        (vanished, "broke the connection off"),
        (no_http, "no complete HTTP answer"),
        (huge, "more than 1 MB"),
        (elsewhere, "a redirect, which is not followed"),
    ):
        stub.requests, stub.replies = [], [reply]
        sentence = refused(make_marker(stub), match)
        assert stub.url in sentence and len(stub.bodies()) == 1
        sentences.add(sentence)
    assert len(sentences) >= 15


def test_a_closed_port_gets_one_connection() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    marker = EndpointMarker(Endpoint(f"http://127.0.0.1:{port}/v1"))
    sentence = refused(marker, "refuses connections; start the server")
    with socket.socket() as listener:  # had it asked again, it would now wait
        listener.bind(("127.0.0.1", port))
        listener.listen()
        start = time.monotonic()
        assert refused(marker, "refuses") == sentence and time.monotonic() - start < 0.4


def test_https_to_an_http_server_is_reported(stub: Stub) -> None:
    refused(make_marker(stub, url=stub.url.replace("http:", "https:")), "does not answer in https; try http")


@pytest.mark.parametrize("dribble", [b"", b" "], ids=["silent", "dribbling"])
@pytest.mark.parametrize("headers", [False, True])
def test_a_slow_server_times_out_and_gets_one_request(stub: Stub, dribble: bytes, headers: bool) -> None:
    def slow(handler: Any) -> None:
        if headers:
            handler.send_response(200)
            handler.end_headers()
        elif dribble:
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow:")
        handler.until_closed(dribble)

    stub.replies = [slow]
    marker = make_marker(stub, timeout_s=0.4)
    start = time.monotonic()
    refused(marker, "no answer within 0.4 s")
    assert time.monotonic() - start < 1.4
    assert stub.closed.wait(1), "the connection was left open"
    start = time.monotonic()
    refused(marker, "no answer within 0.4 s")
    assert time.monotonic() - start < 0.3 and len(stub.bodies()) == 1


def test_a_retry_that_times_out_does_not_mark_the_server_as_down(stub: Stub) -> None:
    def late(handler: Any) -> None:
        time.sleep(0.4)
        handler.give(200, choice("prose"))

    stub.replies = [late, lambda handler: handler.until_closed(), GOOD]
    marker = make_marker(stub, timeout_s=0.6)
    refused(marker, "no answer within 0.6 s")
    assert marker.mark(CAPTION) == ["an oil painting of"]


class Cancelled(Exception):
    pass


def cancel_after(seconds: float) -> Callable[[], None]:
    end = time.monotonic() + seconds

    def check() -> None:
        if time.monotonic() > end:
            raise Cancelled

    return check


@pytest.mark.parametrize("dribble", [b"", b" "])
def test_cancel_ends_the_wait_within_half_a_second_and_closes_the_connection(stub: Stub, dribble: bytes) -> None:
    stub.replies = [lambda handler: handler.until_closed(dribble), GOOD]
    marker = make_marker(stub)
    start = time.monotonic()
    with pytest.raises(Cancelled):
        marker.mark(CAPTION, cancel_after(0.2))
    assert time.monotonic() - start < 0.7
    assert stub.closed.wait(1), "the connection was left open"
    assert marker.mark(CAPTION, cancel_after(9)) == ["an oil painting of"]  # a cancel is no failure of the endpoint
    with pytest.raises(Cancelled):
        marker.mark(CAPTION, cancel_after(-1))


def test_proxies_of_the_environment_are_not_used(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert make_marker(stub).mark(CAPTION)
