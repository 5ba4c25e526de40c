"""The gallery's routes: ids and integers in, JSON and pictures out; anything else is refused and changes nothing.

GET  /swf/gallery                          the runs, and who waits
GET  /swf/gallery/{token}                  a run, as swf_core.learn.run_summary tells it
GET  /swf/gallery/{token}/picture/{id}     a sample or a style picture; ?px=N a thumbnail
POST /swf/gallery/{token}/judge            {"accept": ids, "reject": ids, "forget": ids}
POST /swf/gallery/{token}/caption          {"id": id, "caption": words}
POST /swf/gallery/{token}/go               {"step": N}: what is accepted now is what comes next
POST /swf/gallery/waits/{wait}             {"here": true or false}
"""

from __future__ import annotations

import asyncio
import functools
import io
import json
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from ....swf_core.errors import UserError
from ....swf_core.learn import picks
from ....swf_core.learn.run_summary import picture_file, shown
from .waits import Desk

LARGEST = 64 * 1024  # bytes of a request
MOST_IDS = 500
ID = re.compile(r"[0-9a-f]{16}")
THUMB_PX = (64, 1024)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Refused(Exception):
    """A request that is answered by a 4xx with one sentence."""

    def __init__(self, status: int, sentence: str):
        super().__init__(sentence)
        self.status = status


def routes(
    desk: Desk,
    user: Callable[[web.Request], Any] = lambda _: None,
    picked: Callable[[str, dict[str, Any]], None] = lambda _, __: None,
) -> web.RouteTableDef:
    """All routes on a desk. `user` raises KeyError for somebody the host does not know; `picked` is told the token and
    what is on file after each change."""
    table = web.RouteTableDef()

    def guarded(handler: Handler) -> Handler:
        @functools.wraps(handler)
        async def answer(request: web.Request) -> web.StreamResponse:
            try:
                check_origin(request)
                check_user(request, user)
                return await handler(request)
            except Refused as error:
                return _json({"error": str(error)}, error.status)
            except UserError as error:
                return _json({"error": str(error)}, 400)

        return answer

    def folder_of(request: web.Request) -> Path:
        found = desk.folder(request.match_info["token"])
        if found is None:
            raise Refused(404, "This run is unknown to the server; reload the gallery.")
        return found

    def kept(request: web.Request, told: dict[str, Any]) -> web.StreamResponse:
        picked(request.match_info["token"], told)
        return _json(told)

    @table.get("/swf/gallery")
    @guarded
    async def everything(_: web.Request) -> web.StreamResponse:
        return _json({"server": desk.id, "runs": await asyncio.to_thread(desk.runs), "waiting": desk.waiting()})

    @table.get("/swf/gallery/{token}")
    @guarded
    async def one(request: web.Request) -> web.StreamResponse:
        folder = folder_of(request)
        told = await asyncio.to_thread(shown, folder)
        mine = [w for w in desk.waiting() if w["token"] == request.match_info["token"]]
        return _json(told | {"token": request.match_info["token"], "waiting": mine})

    @table.get("/swf/gallery/{token}/picture/{id}")
    @guarded
    async def picture(request: web.Request) -> web.StreamResponse:
        folder, name = folder_of(request), request.match_info["id"]
        if not ID.fullmatch(name):
            raise Refused(400, "A picture is asked for by its id of 16 hexadecimal digits.")
        asked = request.query.get("px", "0")
        if not asked.isascii() or not asked.isdigit() or (int(asked) and not THUMB_PX[0] <= int(asked) <= THUMB_PX[1]):
            raise Refused(400, f"px is a whole number from {THUMB_PX[0]} to {THUMB_PX[1]}.")
        data, kind = await asyncio.to_thread(_encoded, folder, name, int(asked))
        headers = {"Cache-Control": "private, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
        return web.Response(body=data, content_type=kind, headers=headers)

    @table.post("/swf/gallery/waits/{wait}")
    @guarded
    async def hear(request: web.Request) -> web.StreamResponse:
        told = await body_of(request)
        if not isinstance(told.get("here"), bool):
            raise Refused(400, "here is true or false.")
        if not desk.hear(request.match_info["wait"], told["here"]):
            raise Refused(410, "Nobody waits for this any more.")
        return _json({})

    @table.post("/swf/gallery/{token}/judge")
    @guarded
    async def judge(request: web.Request) -> web.StreamResponse:
        folder, told = folder_of(request), await body_of(request)
        unknown = told.keys() - {"accept", "reject", "forget"}
        if unknown or not told:
            raise Refused(400, "A judgement has lists of ids under accept, reject or forget.")
        lists = {name: _ids(told.get(name, [])) for name in ("accept", "reject", "forget")}
        return kept(request, await asyncio.to_thread(picks.judge, folder, **lists))

    @table.post("/swf/gallery/{token}/caption")
    @guarded
    async def caption(request: web.Request) -> web.StreamResponse:
        folder, told = folder_of(request), await body_of(request)
        (name,) = _ids([told.get("id")])
        words = told.get("caption")
        if not isinstance(words, str):
            raise Refused(400, "A caption is a text.")
        return kept(request, await asyncio.to_thread(picks.recaption, folder, name, words))

    @table.post("/swf/gallery/{token}/go")
    @guarded
    async def go(request: web.Request) -> web.StreamResponse:
        folder, told = folder_of(request), await body_of(request)
        step = told.get("step")
        if not isinstance(step, int) or isinstance(step, bool) or step < 1:
            raise Refused(400, "step is a whole number, 1 or more.")
        if step not in {r["step"] for r in (await asyncio.to_thread(picks.records, folder)).values()}:
            raise Refused(400, f"The run has no samples of step {step}.")
        found = await asyncio.to_thread(picks.answer, folder, step)
        return _json(found | {"woken": desk.answer(folder, step)})

    return table


def check_origin(request: web.Request) -> None:
    """Other sites' pages get nothing: the browser says whose page asks."""
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


async def body_of(request: web.Request) -> dict[str, Any]:
    """The request's JSON object. A simple form of another page cannot have this content type."""
    if request.content_type != "application/json":
        raise Refused(415, "The gallery takes application/json alone.")
    data = bytearray()
    async for part in request.content.iter_any():  # a length that is announced need not be true
        data += part
        if len(data) > LARGEST:
            raise Refused(413, f"A request has at most {LARGEST} bytes.")
    try:
        told = json.loads(data)
    except (ValueError, RecursionError):
        raise Refused(400, "The request is no JSON.") from None
    if not isinstance(told, dict):
        raise Refused(400, "The request is no JSON object.")
    return told


def _ids(found: Any) -> list[str]:
    if not isinstance(found, list) or len(found) > MOST_IDS:
        raise Refused(400, f"Ids come as a list of at most {MOST_IDS}.")
    for name in found:
        if not isinstance(name, str) or not ID.fullmatch(name):
            raise Refused(400, "An id has 16 hexadecimal digits.")
    return found


def _json(told: dict[str, Any], status: int = 200) -> web.Response:
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return web.json_response(told, status=status, headers=headers)


@functools.lru_cache(maxsize=2048)
def _thumbnail(file: Path, _: int, px: int) -> bytes:
    from PIL import Image

    with Image.open(file) as picture:
        small = picture.convert("RGB")
    small.thumbnail((px, px))
    data = io.BytesIO()
    small.save(data, "WEBP", quality=85, method=1)
    return data.getvalue()


def _encoded(folder: Path, name: str, px: int) -> tuple[bytes, str]:
    """A picture's bytes and their kind; small ones are kept for a while, by the file's time."""
    try:
        file = picture_file(folder, name)
        if px:
            return _thumbnail(file, file.stat().st_mtime_ns, px), "image/webp"
        return file.read_bytes(), "image/png"
    except UserError as error:
        raise Refused(404, str(error)) from None
    except OSError:
        raise Refused(404, "The picture's file is missing.") from None
