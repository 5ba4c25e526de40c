"""An endpoint that answers well, badly, slowly or not at all: each is told apart, none outlasts its time."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from swf_core.errors import UserError
from swf_core.words.strip.llm.endpoint import Endpoint, EndpointMarker
from swf_core.words.strip.llm.prompt import SCHEMA, MarkerError

CAPTION = "an oil painting of a boat"
GOOD = '{"remove": ["an oil painting of"]}'


def choice(content: Any, why: str = "stop") -> dict[str, Any]:
    return {"choices": [{"message": {"role": "assistant", "content": content}, "finish_reason": why}]}


class Stub:
    """A server on loopback. `replies` are taken one by one, the last for ever: a text is an answer's content, a pair
    (status, body) is sent as it is, a function gets the request handler and does what it likes."""

    def __init__(self) -> None:
        self.replies: list[Any] = [GOOD]
        self.models: Any = {"data": [{"id": "text-embedding-x"}, {"id": "qwen"}, {"id": "other"}]}
        self.asked: list[tuple[str, dict[str, Any], dict[str, str]]] = []
        self.closed = threading.Event()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"

    def bodies(self, path: str = "/v1/chat/completions") -> list[dict[str, Any]]:
        return [body for asked, body, _ in self.asked if asked == path]

    def _handler(stub) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *args: Any) -> None:
                pass

            def do_GET(self) -> None:
                stub.asked.append((self.path, {}, dict(self.headers)))
                self.give(200, stub.models)

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                stub.asked.append((self.path, body, dict(self.headers)))
                if self.path != "/v1/chat/completions":
                    return self.give(200, {})
                reply = stub.replies.pop(0) if len(stub.replies) > 1 else stub.replies[0]
                if callable(reply):
                    reply(self)
                elif isinstance(reply, str):
                    self.give(200, choice(reply))
                else:
                    self.give(*reply)

            def give(self, status: int, body: Any) -> None:
                data = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def until_closed(self, dribble: bytes = b"") -> None:
                self.connection.settimeout(0.05)
                for _ in range(200):
                    try:
                        self.wfile.write(dribble)
                        if not self.connection.recv(1):
                            break
                    except TimeoutError:
                        continue
                    except OSError:
                        break
                else:
                    return
                stub.closed.set()

        return Handler


@pytest.fixture
def stub() -> Iterator[Stub]:
    stub = Stub()
    yield stub
    stub.server.shutdown()
    stub.server.server_close()


def marker(stub: Stub, **options: Any) -> EndpointMarker:
    return EndpointMarker(Endpoint(**{"url": stub.url, "model": "m", "timeout_s": 5.0} | options))


def refused(asked: EndpointMarker, match: str, caption: str = CAPTION) -> str:
    with pytest.raises(MarkerError, match=match) as raised:
        asked.mark(caption)
    sentence = str(raised.value)
    assert sentence[-1] in ".?" and "\n" not in sentence
    return sentence


# Options


@pytest.mark.parametrize(
    "options, match",
    [
        ({"url": "ftp://127.0.0.1"}, "no http or https"),
        ({"url": "127.0.0.1:11434"}, "no http or https|no URL"),
        ({"url": "http://"}, "no http or https"),
        ({"url": "http://127.0.0.1:99999"}, "no URL"),
        ({"url": "http://127.0.0.1/v1\r\nX: y"}, "no URL"),
        ({"url": "http://[::1"}, "no URL"),
        ({"url": "http://10.0.0.7:8000/v1"}, "captions would leave it"),
        ({"url": "http://localhost.example.com/v1"}, "captions would leave it"),
        ({"url": "http://0.0.0.0:11434/v1"}, "captions would leave it"),
        ({"timeout_s": 0.0}, "more than 0"),
        ({"timeout_s": float("nan")}, "more than 0"),
    ],
)
def test_options_are_checked(options: dict[str, Any], match: str) -> None:
    with pytest.raises(UserError, match=match):
        Endpoint(**options)


def test_what_is_this_machine_and_what_may_be_remote() -> None:
    for host in ("127.0.0.1", "127.8.9.1", "localhost", "LOCALHOST", "[::1]", "[::ffff:127.0.0.1]"):
        Endpoint(f"http://{host}:11434/v1")
    Endpoint("https://models.example.com/v1", allow_remote=True)


@pytest.mark.parametrize("secret", ["sk-abc123", "sk_live", "gsk_abc", "hf_AbCdEfGh", "a1" * 16, "two words"])
def test_a_key_in_place_of_its_variable_is_refused_and_not_repeated(secret: str) -> None:
    with pytest.raises(UserError, match="may be a key itself") as raised:
        Endpoint(key_variable=secret)
    assert secret not in str(raised.value)
    with pytest.raises(UserError) as raised:
        Endpoint(f"http://user:{secret.replace(' ', '')}@127.0.0.1/v1")
    assert secret not in str(raised.value)


def test_the_key_comes_from_the_environment_alone(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SWF_TEST_KEY", raising=False)
    with pytest.raises(UserError, match="'SWF_TEST_KEY' is not set"):
        marker(stub, key_variable="SWF_TEST_KEY")
    monkeypatch.setenv("SWF_TEST_KEY", "sk-1\nX-Other: 2")
    with pytest.raises(UserError, match="holds no key") as raised:
        marker(stub, key_variable="SWF_TEST_KEY")
    assert "sk-1" not in str(raised.value)
    monkeypatch.setenv("SWF_TEST_KEY", "sk-secret")
    endpoint = Endpoint(stub.url, "m", "SWF_TEST_KEY")
    assert "sk-secret" not in repr(endpoint)
    EndpointMarker(endpoint).mark(CAPTION)
    assert stub.asked[-1][2]["Authorization"] == "Bearer sk-secret"
    stub.replies = [(500, {"error": {"message": "bad key sk-secret given"}})]
    assert "sk-secret" not in refused(EndpointMarker(endpoint), "bad key")
    marker(stub, key_variable="").close()
    assert marker(stub).name == "endpoint"


# Answers


def test_a_good_answer_and_what_was_asked(stub: Stub) -> None:
    assert marker(stub).mark(CAPTION) == ["an oil painting of"]
    (asked,) = stub.bodies()
    assert asked["messages"][-1]["content"] == f"<caption>{CAPTION}</caption>"
    assert (asked["model"], asked["temperature"], asked["seed"], asked["stream"]) == ("m", 0, 0, False)
    assert asked["max_tokens"] == 128 and asked["chat_template_kwargs"] == {"enable_thinking": False}
    assert asked["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "strip", "strict": True, "schema": SCHEMA},
    }
    assert "Authorization" not in stub.asked[0][2]


@pytest.mark.parametrize("path", ["", "/", "/v1/", "/v1/chat/completions"])
def test_usual_ways_to_write_the_address(stub: Stub, path: str) -> None:
    assert marker(stub, url=stub.url.removesuffix("/v1") + path).mark(CAPTION)


@pytest.mark.parametrize("around", ["```json\n{}\n```", "<think>so</think>{}", "so</think>{}", "Here: {} Fine?"])
def test_answers_in_other_wrappings(stub: Stub, around: str) -> None:
    stub.replies = [around.replace("{}", GOOD)]
    assert marker(stub).mark(CAPTION) == ["an oil painting of"] and len(stub.bodies()) == 1


def test_invented_words_are_handed_on_as_written(stub: Stub) -> None:
    stub.replies = ['{"remove": ["BANANA"]}']
    assert marker(stub).mark(CAPTION) == ["BANANA"]


def test_one_retry_names_the_problem(stub: Stub) -> None:
    stub.replies = ["I cannot do that.", GOOD]
    assert marker(stub).mark(CAPTION) == ["an oil painting of"]
    assert "answered in prose" in stub.bodies()[1]["messages"][-1]["content"]
    assert stub.bodies()[1]["max_tokens"] == 128
    stub.asked, stub.replies = [], ["I cannot do that."]
    refused(marker(stub), "prose")
    assert len(stub.bodies()) == 2
    for content in (None, "", 7, "<think>never ends"):
        stub.replies = [(200, choice(content))]
        refused(marker(stub), "empty|thinking")


def test_a_thought_that_was_cut_off_gets_more_room_once(stub: Stub) -> None:
    stub.replies = [(200, choice("<think>long", "length")), f"<think>long</think>{GOOD}"]
    assert marker(stub).mark(CAPTION) == ["an oil painting of"]
    assert [body["max_tokens"] for body in stub.bodies()] == [128, 2048]
    stub.replies = [(200, choice('{"remove": ["an oil', "length"))]
    refused(marker(stub), "did not finish its answer in 2048 tokens")


def test_without_a_name_the_first_model_that_chats_is_taken_once(stub: Stub) -> None:
    asked = marker(stub, model="")
    asked.mark(CAPTION), asked.mark(CAPTION)
    assert asked.model == "qwen" and [body["model"] for body in stub.bodies()] == ["qwen", "qwen"]
    assert [path for path, *_ in stub.asked].count("/v1/models") == 1
    for models in ({"data": []}, {"data": None}, {}, []):
        stub.models = models
        refused(marker(stub, model=""), "lists no model")


def test_a_refused_response_format_is_dropped_for_good(stub: Stub) -> None:
    stub.replies = [(400, {"error": {"message": "json_schema is not supported"}}), GOOD]
    asked = marker(stub)
    assert asked.mark(CAPTION) and asked.mark(CAPTION)
    assert ["response_format" in body for body in stub.bodies()] == [True, False, False]
    assert not any("chat_template_kwargs" in body for body in stub.bodies()[1:])
    stub.asked, stub.replies = [], [(422, {"detail": "context is full"})]
    refused(marker(stub), "HTTP 422.*check the model's name")
    assert len(stub.bodies()) == 2


# Failures


def test_every_failure_has_a_sentence_of_its_own(stub: Stub) -> None:
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

    told = set()
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
        stub.asked, stub.replies = [], [reply]
        sentence = refused(marker(stub), match)
        assert stub.url in sentence and len(stub.bodies()) == 1
        told.add(sentence)
    assert len(told) >= 15


def test_a_closed_port_is_asked_once() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    asked = EndpointMarker(Endpoint(f"http://127.0.0.1:{port}/v1"))
    sentence = refused(asked, "refuses connections; start the server")
    with socket.socket() as listener:  # had it asked again, it would now wait
        listener.bind(("127.0.0.1", port))
        listener.listen()
        start = time.monotonic()
        assert refused(asked, "refuses") == sentence and time.monotonic() - start < 0.4


def test_https_to_a_server_that_speaks_http(stub: Stub) -> None:
    refused(marker(stub, url=stub.url.replace("http:", "https:")), "does not answer in https; try http")


@pytest.mark.parametrize("dribble", [b"", b" "], ids=["silent", "dribbling"])
@pytest.mark.parametrize("headers", [False, True])
def test_a_slow_server_does_not_outlast_its_time_and_is_asked_once(stub: Stub, dribble: bytes, headers: bool) -> None:
    def slow(handler: Any) -> None:
        if headers:
            handler.send_response(200)
            handler.end_headers()
        elif dribble:
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow:")
        handler.until_closed(dribble)

    stub.replies = [slow]
    asked = marker(stub, timeout_s=0.4)
    start = time.monotonic()
    refused(asked, "no answer within 0.4 s")
    assert time.monotonic() - start < 1.4
    assert stub.closed.wait(1), "the connection was left open"
    start = time.monotonic()
    refused(asked, "no answer within 0.4 s")
    assert time.monotonic() - start < 0.3 and len(stub.bodies()) == 1


def test_a_retry_that_had_little_time_left_does_not_count_as_down(stub: Stub) -> None:
    def late(handler: Any) -> None:
        time.sleep(0.4)
        handler.give(200, choice("prose"))

    stub.replies = [late, lambda handler: handler.until_closed(), GOOD]
    asked = marker(stub, timeout_s=0.6)
    refused(asked, "no answer within 0.6 s")
    assert asked.mark(CAPTION) == ["an oil painting of"]


class Cancelled(Exception):
    pass


def cancel_after(seconds: float) -> Callable[[], None]:
    end = time.monotonic() + seconds

    def check() -> None:
        if time.monotonic() > end:
            raise Cancelled

    return check


@pytest.mark.parametrize("dribble", [b"", b" "])
def test_cancel_ends_the_wait_within_half_a_second_and_closes(stub: Stub, dribble: bytes) -> None:
    stub.replies = [lambda handler: handler.until_closed(dribble), GOOD]
    asked = marker(stub)
    start = time.monotonic()
    with pytest.raises(Cancelled):
        asked.mark(CAPTION, cancel_after(0.2))
    assert time.monotonic() - start < 0.7
    assert stub.closed.wait(1), "the connection was left open"
    assert asked.mark(CAPTION, cancel_after(9)) == ["an oil painting of"]  # a cancel is no failure of the endpoint
    with pytest.raises(Cancelled):
        asked.mark(CAPTION, cancel_after(-1))


def test_proxies_of_the_environment_are_not_asked(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert marker(stub).mark(CAPTION)


# Release


def test_close_frees_ollamas_memory_once_and_only_after_an_answer(stub: Stub) -> None:
    asked = marker(stub)
    asked.close()
    assert not stub.asked
    asked.mark(CAPTION)
    asked.close(), asked.close()
    assert stub.bodies("/api/generate") == [{"model": "m", "keep_alive": 0}]
    kept = marker(stub, release=False)
    kept.mark(CAPTION)
    kept.close()
    assert len(stub.bodies("/api/generate")) == 1
    gone = marker(stub)
    gone.mark(CAPTION)
    stub.server.shutdown()
    stub.server.server_close()
    gone.close()
