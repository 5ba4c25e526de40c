"""The gallery's routes: ids and integers in, JSON and pictures out; anything else is refused and changes nothing.

GET  /swf/gallery                          the runs, and the waits
GET  /swf/gallery/{token}                  a run, as swf_core.learn.run_summary describes it
GET  /swf/gallery/{token}/picture/{id}     a sample or a style picture; ?px=N a thumbnail
POST /swf/gallery/waits/{wait}             {"open": true or false}: the page shows the wait's samples, or closes
POST /swf/gallery/{token}/judge            {"accept": ids, "reject": ids, "forget": ids}
POST /swf/gallery/{token}/caption          {"id": id, "caption": words}
POST /swf/gallery/{token}/go               {"step": N}: what is accepted now is what comes next
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from ....swf_core.errors import UserError
from ....swf_core.learn import picks
from ....swf_core.learn.run_summary import run_summary
from .request_checks import PICTURE_ID, Refused, check_origin, check_user, checked_ids, json_body, json_response
from .run_tokens import RunTokens
from .thumbnails import THUMBNAIL_PX, encoded_picture
from .waits import Waits

PREFIX = "/swf/gallery"
VERDICTS = ("accept", "reject", "forget")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class GalleryRoutes:
    """The handlers, on a server's tokens and waits.

    `user` raises KeyError for somebody whom the host does not know; `publish_picks` is called with the token and the
    content of picks.json after each change.
    """

    def __init__(
        self,
        tokens: RunTokens,
        waits: Waits,
        user: Callable[[web.Request], Any] = lambda _: None,
        publish_picks: Callable[[str, dict[str, Any]], None] = lambda _, __: None,
    ):
        self.tokens, self.waits = tokens, waits
        self.user, self.publish_picks = user, publish_picks

    def table(self) -> web.RouteTableDef:
        """All routes, with their checks."""
        table = web.RouteTableDef()
        table.get(PREFIX)(self._checked(self.runs))
        table.get(PREFIX + "/{token}")(self._checked(self.run))
        table.get(PREFIX + "/{token}/picture/{id}")(self._checked(self.picture))
        table.post(PREFIX + "/waits/{wait}")(self._checked(self.confirm_wait))  # before the routes of a token
        table.post(PREFIX + "/{token}/judge")(self._checked(self.set_verdicts))
        table.post(PREFIX + "/{token}/caption")(self._checked(self.set_caption))
        table.post(PREFIX + "/{token}/go")(self._checked(self.answer))
        return table

    async def runs(self, _: web.Request) -> web.StreamResponse:
        runs = await asyncio.to_thread(self.tokens.runs)
        return json_response({"server": self.waits.server_id, "runs": runs, "waits": self.waits.payloads()})

    async def run(self, request: web.Request) -> web.StreamResponse:
        folder, token = self._folder(request), request.match_info["token"]
        summary = await asyncio.to_thread(run_summary, folder)
        waits = [wait for wait in self.waits.payloads() if wait["token"] == token]
        return json_response(summary | {"token": token, "waits": waits})

    async def picture(self, request: web.Request) -> web.StreamResponse:
        folder, picture_id = self._folder(request), request.match_info["id"]
        if not PICTURE_ID.fullmatch(picture_id):
            raise Refused(400, "A picture is asked for by its id of 16 hexadecimal digits.")
        px = request.query.get("px", "0")
        smallest, largest = THUMBNAIL_PX
        if not px.isascii() or not px.isdigit() or (int(px) and not smallest <= int(px) <= largest):
            raise Refused(400, f"px is a whole number from {smallest} to {largest}.")
        data, content_type = await asyncio.to_thread(encoded_picture, folder, picture_id, int(px))
        headers = {"Cache-Control": "private, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
        return web.Response(body=data, content_type=content_type, headers=headers)

    async def confirm_wait(self, request: web.Request) -> web.StreamResponse:
        is_open = (await json_body(request)).get("open")
        if not isinstance(is_open, bool):
            raise Refused(400, "open is true or false.")
        if not self.waits.confirm(request.match_info["wait"], is_open):
            raise Refused(410, "Nobody waits for this any more.")
        return json_response({})

    async def set_verdicts(self, request: web.Request) -> web.StreamResponse:
        folder, body = self._folder(request), await json_body(request)
        if not body or body.keys() - set(VERDICTS):
            raise Refused(400, "A judgement has lists of ids under accept, reject or forget.")
        lists = {verdict: checked_ids(body.get(verdict, [])) for verdict in VERDICTS}
        return self._picks_response(request, await asyncio.to_thread(picks.set_verdict, folder, **lists))

    async def set_caption(self, request: web.Request) -> web.StreamResponse:
        folder, body = self._folder(request), await json_body(request)
        (sample_id,) = checked_ids([body.get("id")])
        caption = body.get("caption")
        if not isinstance(caption, str):
            raise Refused(400, "A caption is a text.")
        return self._picks_response(request, await asyncio.to_thread(picks.set_caption, folder, sample_id, caption))

    async def answer(self, request: web.Request) -> web.StreamResponse:
        folder, body = self._folder(request), await json_body(request)
        step = body.get("step")
        if not isinstance(step, int) or isinstance(step, bool) or step < 1:
            raise Refused(400, "step is a whole number, 1 or more.")
        records = await asyncio.to_thread(picks.pickable_samples, folder)
        if step not in {record["step"] for record in records.values()}:
            raise Refused(400, f"The run has no samples of step {step}.")
        content = await asyncio.to_thread(picks.mark_reviewed, folder, step)
        return json_response(content | {"ended_waits": self.waits.answer(folder, step)})

    def _folder(self, request: web.Request) -> Path:
        folder = self.tokens.folder(request.match_info["token"])
        if folder is None:
            raise Refused(404, "This run is unknown to the server; reload the gallery.")
        return folder

    def _picks_response(self, request: web.Request, content: dict[str, Any]) -> web.StreamResponse:
        """The changed picks, to whoever asked and to every page."""
        self.publish_picks(request.match_info["token"], content)
        return json_response(content)

    def _checked(self, handler: Handler) -> Handler:
        """The handler behind the checks of every request; what it refuses becomes a 4xx."""

        @functools.wraps(handler)
        async def respond(request: web.Request) -> web.StreamResponse:
            try:
                check_origin(request)
                check_user(request, self.user)
                return await handler(request)
            except Refused as error:
                return json_response({"error": str(error)}, error.status)
            except UserError as error:
                return json_response({"error": str(error)}, 400)

        return respond
