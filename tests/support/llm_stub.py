"""A language model's server on loopback for tests, and a marker that asks it."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from swf_core.words.strip.llm.endpoint import Endpoint, EndpointMarker
from swf_core.words.strip.llm.prompt import MarkerError

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
        self.requests: list[tuple[str, dict[str, Any], dict[str, str]]] = []
        self.closed = threading.Event()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def bodies(self, path: str = "/v1/chat/completions") -> list[dict[str, Any]]:
        return [body for requested, body, _ in self.requests if requested == path]

    def _handler(stub) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *args: Any) -> None:
                pass

            def do_GET(self) -> None:
                stub.requests.append((self.path, {}, dict(self.headers)))
                self.give(200, stub.models)

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                stub.requests.append((self.path, body, dict(self.headers)))
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


def make_marker(stub: Stub, **options: Any) -> EndpointMarker:
    return EndpointMarker(Endpoint(**{"url": stub.url, "model": "m", "timeout_s": 5.0} | options))


def refused(marker: EndpointMarker, match: str, caption: str = CAPTION) -> str:
    with pytest.raises(MarkerError, match=match) as raised:
        marker.mark(caption)
    sentence = str(raised.value)
    assert sentence[-1] in ".?" and "\n" not in sentence
    return sentence
