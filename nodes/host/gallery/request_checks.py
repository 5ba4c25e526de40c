"""What the gallery's routes accept and how they refuse: origin, user, JSON body, ids."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

MAX_BODY_BYTES = 64 * 1024
MAX_IDS = 500
PICTURE_ID = re.compile(r"[0-9a-f]{16}")


class Refused(Exception):
    """A request that is answered by a 4xx with one sentence."""

    def __init__(self, status: int, sentence: str):
        super().__init__(sentence)
        self.status = status


def check_origin(request: web.Request) -> None:
    """Other sites' pages get nothing: the browser names the page that a request comes from."""
    origin = request.headers.get("Origin")
    if request.headers.get("Sec-Fetch-Site") == "cross-site" or (
        origin is not None and urlsplit(origin).netloc != request.headers.get("Host")
    ):
        raise Refused(403, "The gallery answers pages of this server alone.")


def check_user(request: web.Request, user: Callable[[web.Request], Any]) -> None:
    """On a host with users, only those it knows."""
    try:
        user(request)
    except KeyError:
        raise Refused(403, "The server does not know this user.") from None


async def json_body(request: web.Request) -> dict[str, Any]:
    """The request's JSON object. A simple form of another page cannot have this content type."""
    if request.content_type != "application/json":
        raise Refused(415, "The gallery takes application/json alone.")
    data = bytearray()
    async for part in request.content.iter_any():  # a length that is announced need not be true
        data += part
        if len(data) > MAX_BODY_BYTES:
            raise Refused(413, f"A request has at most {MAX_BODY_BYTES} bytes.")
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        raise Refused(400, "The request is no JSON.") from None
    if not isinstance(body, dict):
        raise Refused(400, "The request is no JSON object.")
    return body


def checked_ids(value: Any) -> list[str]:
    """A list of picture ids as it came, or a refusal."""
    if not isinstance(value, list) or len(value) > MAX_IDS:
        raise Refused(400, f"Ids come as a list of at most {MAX_IDS}.")
    for name in value:
        if not isinstance(name, str) or not PICTURE_ID.fullmatch(name):
            raise Refused(400, "An id has 16 hexadecimal digits.")
    return value


def json_response(payload: dict[str, Any], status: int = 200) -> web.Response:
    """JSON that no cache keeps."""
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return web.json_response(payload, status=status, headers=headers)
