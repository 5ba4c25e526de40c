"""One HTTP request whose caller can give up at any moment.

http.client and not urllib, because it follows no redirect and reads no proxy from the environment. It waits in a daemon
thread, since nothing in the standard library can be told to stop waiting for a server that says nothing, or one that
sends a byte now and then.
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

from ....errors import UserError

CONNECT_S, POLL_S = 5.0, 0.1
LARGEST_BYTES = 1_000_000


class Unreachable(Exception):
    """No connection was made; the text says why and what to do, to be read after the address."""


class TooLarge(Exception):
    """The body is longer than LARGEST_BYTES."""


def split_url(url: str) -> SplitResult:
    """A server's base URL in its parts. Raises UserError when it is none, or holds what may be secret."""
    try:
        if re.search(r"[^!-~]", url.strip()):
            raise ValueError
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError as error:
        raise UserError("The language model's address is no URL; give one like http://127.0.0.1:11434/v1.") from error
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise UserError(
            "The language model's address holds a password, a query or a fragment, which may be secret; give the plain "
            "address, and a key by key_variable."
        )
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise UserError(
            f"The language model's address '{url}' is no http or https URL with a host; give one like "
            "http://127.0.0.1:11434/v1."
        )
    path = parts.path.rstrip("/").removesuffix("/chat/completions") or "/v1"
    return parts._replace(path=path)


def is_loopback(host: str) -> bool:
    """Whether this host is surely the same machine."""
    if host.lower() == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


@dataclass
class _Call:
    """What the caller and its thread share."""

    done: threading.Event = field(default_factory=threading.Event)
    aborted: threading.Event = field(default_factory=threading.Event)
    socket: socket.socket | None = None
    reply: tuple[int, bytes] | None = None
    error: Exception | None = None


def request(
    method: str,
    parts: SplitResult,
    path: str,
    headers: Mapping[str, str],
    body: bytes | None,
    deadline: float,
    check: Callable[[], None] | None = None,
) -> tuple[int, bytes]:
    """Status and body of the reply. `parts`: scheme, host and port; `deadline`: of `time.monotonic()`, for all of it.

    `check` is called at once and every 0.1 s; what it raises closes the connection and passes through. Raises
    Unreachable, TooLarge, TimeoutError at the deadline, another OSError or http.client.HTTPException when the server
    breaks off or is none.
    """
    if check is not None:
        check()
    call = _Call()
    work = threading.Thread(
        target=_send, args=(call, method, parts, path, headers, body, deadline), name="swf-exchange", daemon=True
    )
    work.start()
    try:
        while not call.done.wait(min(POLL_S, max(0.0, deadline - time.monotonic()))):
            if check is not None:
                check()
            if time.monotonic() >= deadline:
                raise TimeoutError
    finally:
        _abort(call)
    if call.error is not None:
        raise call.error
    assert call.reply is not None
    return call.reply


def _abort(call: _Call) -> None:
    call.aborted.set()
    if call.socket is not None:
        # shutdown wakes the thread out of its read, which close alone does not; the thread closes.
        with contextlib.suppress(OSError):
            call.socket.shutdown(socket.SHUT_RDWR)


def _send(
    call: _Call,
    method: str,
    parts: SplitResult,
    path: str,
    headers: Mapping[str, str],
    body: bytes | None,
    deadline: float,
) -> None:
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=CONNECT_S)
    try:
        try:
            connection.connect()
        except OSError as error:
            raise Unreachable(_connection_problem(error)) from error
        call.socket = connection.sock
        if call.socket is None or call.aborted.is_set():  # given up before there was a socket to shut down
            return
        call.socket.settimeout(max(0.01, deadline - time.monotonic()))
        connection.request(method, path, body, dict(headers))
        response = connection.getresponse()
        call.reply = response.status, _body(response)
    except Exception as error:  # for the caller: an exception in a thread is seen by nobody
        call.error = error
    finally:
        call.done.set()
        connection.close()


def _body(response: http.client.HTTPResponse) -> bytes:
    data = b""
    while piece := response.read(65536):
        data += piece
        if len(data) > LARGEST_BYTES:
            raise TooLarge
    if response.length:  # read takes an early end for the end
        raise http.client.IncompleteRead(data, response.length)
    return data


def _connection_problem(error: OSError) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "refuses connections; start the server there, or correct the address"
    if isinstance(error, socket.gaierror):
        return "is not known to the network; correct the host's name"
    if isinstance(error, ssl.SSLCertVerificationError):
        return "has a certificate that this machine does not trust; correct the address, or trust the certificate"
    if isinstance(error, ssl.SSLError):
        return "does not answer in https; try http"
    if isinstance(error, TimeoutError):
        return f"cannot be reached within {CONNECT_S:g} s; start the server there, or correct the address"
    return f"cannot be reached ({error.strerror or error}); correct the address"
