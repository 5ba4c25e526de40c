"""What the gallery's routes accept and how they refuse: host, origin, user, JSON body, ids."""

from __future__ import annotations

import asyncio
import json
import math
import re
import zlib
from collections.abc import Callable
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from ....swf_core.learn.run_files import PICTURE_ID
from .host_names import VARIABLE, authority_of, is_allowed, name_in

MAX_BODY_BYTES = 64 * 1024
BODY_SECONDS = 10
MAX_IDS = 500
PX_DIGITS = 4
BROKEN_BODY = (web.RequestPayloadError, aiohttp.ClientPayloadError, HttpProcessingError, zlib.error)


class Refused(Exception):
    """A request that is answered by a 4xx with one sentence; `closes`: and nothing more is read of its connection."""

    def __init__(self, status: int, sentence: str, closes: bool = False):
        super().__init__(sentence)
        self.status, self.closes = status, closes


def check_host(request: web.Request, names: frozenset[str]) -> None:
    """Only under the names of this server (`host_names`); what no browser sends is no page's."""
    host = request.headers.get("Host")
    if host is None and "Origin" not in request.headers:
        return
    name = name_in(host)
    if name is None:
        raise Refused(400, "The request's Host header is no name or address.")
    if is_allowed(name, names) or "Sec-Fetch-Site" in request.headers:
        return
    raise Refused(
        403,
        f"The gallery does not answer under the name '{name[:100]}'; open ComfyUI by its address or over HTTPS, or "
        f"start it with the environment variable {VARIABLE}={name[:100]}.",
    )


def check_origin(request: web.Request, allowed: str | None = None) -> None:
    """Other sites' pages get nothing: the browser names the page that a request comes from. `allowed`: an origin that
    whoever started the server let in."""
    origin = request.headers.get("Origin")
    if origin is not None and origin == allowed:
        return
    host = request.headers.get("Host", "").lower()
    if request.headers.get("Sec-Fetch-Site") == "cross-site" or (origin is not None and authority_of(origin) != host):
        raise Refused(403, "The gallery answers pages of this server alone.")


def check_user(request: web.Request, owner: Callable[[web.Request], str]) -> str:
    """On a host with users, only those it knows; the owner of the runs that the request may see."""
    try:
        return owner(request)
    except KeyError:
        raise Refused(403, "The server does not know this user; choose one on ComfyUI's page.") from None


async def json_body(request: web.Request) -> dict[str, Any]:
    """The request's JSON object. A simple form of another page cannot have this content type."""
    if request.content_type != "application/json":
        raise Refused(415, "The gallery takes application/json alone.")
    data = await _whole_body(request)
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        raise Refused(400, "The request is no JSON.") from None
    if not _is_unicode(body):
        raise Refused(400, "A text of the request has half a character in it (a lone surrogate).")
    if not isinstance(body, dict):
        raise Refused(400, "The request is no JSON object.")
    return body


async def _whole_body(request: web.Request) -> bytes:
    """The request's body; a refusal for one that is too long, broken, or does not come to its end in time."""
    try:
        return await asyncio.wait_for(_read(request), BODY_SECONDS)
    except BROKEN_BODY:
        refusal = Refused(400, "The request's body is not what its headers say.", closes=True)
    except asyncio.TimeoutError:  # for the rest of some broken ones aiohttp waits for ever
        refusal = Refused(408, "The request's body did not come to its end.", closes=True)
    request.content.feed_eof()  # or the server reads on, and logs what we answer
    raise refusal


async def _read(request: web.Request) -> bytes:
    data = bytearray()
    async for part in request.content.iter_any():  # a length that is announced need not be true
        data += part
        if len(data) > MAX_BODY_BYTES:
            raise Refused(413, f"A request has at most {MAX_BODY_BYTES} bytes.")
    return bytes(data)


def _is_unicode(body: Any) -> bool:
    """Whether all texts of a JSON value can be written to a file."""
    try:
        json.dumps(body, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def checked_ids(value: Any) -> list[str]:
    """A list of picture ids as it came, or a refusal."""
    if not isinstance(value, list) or len(value) > MAX_IDS:
        raise Refused(400, f"Ids come as a list of at most {MAX_IDS}.")
    for name in value:
        if not isinstance(name, str) or not PICTURE_ID.fullmatch(name):
            raise Refused(400, "An id has 16 hexadecimal digits.")
    return value


def checked_px(value: str, smallest: int, largest: int) -> int:
    """The width that a picture is asked for in, 0 for its own."""
    if value.isascii() and value.isdigit() and len(value) <= PX_DIGITS:
        px = int(value)
        if px == 0 or smallest <= px <= largest:
            return px
    raise Refused(400, f"px is a whole number from {smallest} to {largest}.")


def without_paths(sentence: str) -> str:
    """A sentence about files with their names alone: where they lie is no page's business."""
    return re.sub(r"'(?:/|[A-Za-z]:[\\/]|\\\\)(?:[^']*[\\/])?([^'\\/]*)[\\/]?'", r"'\1'", sentence)


def json_response(payload: dict[str, Any], status: int = 200) -> web.Response:
    """JSON that no cache keeps, and that every browser reads: numbers that are none become null."""
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return web.json_response(_finite(payload), status=status, headers=headers)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
