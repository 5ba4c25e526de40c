"""The gallery's routes: ids and integers in, JSON and pictures out; anything else is refused and changes nothing.

GET  /swf/gallery                          the runs, and the waits
GET  /swf/gallery/{token}                  a run, as swf_core.learn.run_summary describes it
GET  /swf/gallery/{token}/picture/{id}     a sample or a style picture; ?px=N a thumbnail
POST /swf/gallery/client                   {"client": id}: a page says whose it is, on a host with users
POST /swf/gallery/waits/{wait}             {"open": true or false}: the page shows the wait's samples, or closes
POST /swf/gallery/{token}/judge            {"accept": ids, "reject": ids, "forget": ids}
POST /swf/gallery/{token}/caption          {"id": id, "caption": words}
POST /swf/gallery/{token}/go               {"step": N}: what is accepted now is what comes next
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from ....swf_core.learn import picks
from ....swf_core.learn.run_files import PICTURE_ID
from ....swf_core.learn.run_summary import run_summary
from .access import OWNER, Access, checked
from .request_checks import Refused, checked_ids, checked_px, json_body, json_response, without_paths
from .run_tokens import RunTokens
from .thumbnails import THUMBNAIL_PX, encoded_picture
from .users import EVERYBODY, Pages, is_client_id
from .waits import Waits

PREFIX = "/swf/gallery"
VERDICTS = ("accept", "reject", "forget")
USER_HEADER = "comfy-user"


class GalleryRoutes:
    """The handlers, on a server's tokens, waits and pages.

    `publish_picks` is called with the owner, the token and the content of picks.json after each change.
    """

    def __init__(
        self,
        tokens: RunTokens,
        waits: Waits,
        pages: Pages,
        access: Access,
        publish_picks: Callable[[str, str, dict[str, Any]], None] = lambda *_: None,
    ):
        self.tokens, self.waits, self.pages, self.access = tokens, waits, pages, access
        self.publish_picks = publish_picks

    def table(self) -> web.RouteTableDef:
        """All routes, with their checks."""
        table, access = web.RouteTableDef(), self.access
        table.get(PREFIX)(checked(access, self.runs))
        table.get(PREFIX + "/{token}")(checked(access, self.run))
        table.get(PREFIX + "/{token}/picture/{id}")(checked(access, self.picture))
        table.post(PREFIX + "/client")(checked(access, self.register_page))  # before the routes of a token
        table.post(PREFIX + "/waits/{wait}")(checked(access, self.confirm_wait))
        table.post(PREFIX + "/{token}/judge")(checked(access, self.set_verdicts))
        table.post(PREFIX + "/{token}/caption")(checked(access, self.set_caption))
        table.post(PREFIX + "/{token}/go")(checked(access, self.answer))
        return table

    async def runs(self, request: web.Request) -> web.StreamResponse:
        owner = request[OWNER]
        runs = await asyncio.to_thread(self.tokens.runs, owner)
        return json_response({"server": self.waits.server_id, "runs": runs, "waits": self.waits.payloads(owner)})

    async def run(self, request: web.Request) -> web.StreamResponse:
        folder, token = self._folder(request), request.match_info["token"]
        summary = await asyncio.to_thread(run_summary, folder)
        summary["model"] = without_paths(f"'{summary['model']}'").strip("'")
        waits = [wait for wait in self.waits.payloads(request[OWNER]) if wait["token"] == token]
        return json_response(summary | {"token": token, "waits": waits})

    async def picture(self, request: web.Request) -> web.StreamResponse:
        folder, picture_id = self._folder(request), request.match_info["id"]
        if not PICTURE_ID.fullmatch(picture_id):
            raise Refused(400, "A picture is asked for by its id of 16 hexadecimal digits.")
        px = checked_px(request.query.get("px", "0"), *THUMBNAIL_PX)
        data, content_type = await asyncio.to_thread(encoded_picture, folder, picture_id, px)
        headers = {
            "Cache-Control": "private, max-age=31536000, immutable",
            "Vary": USER_HEADER,  # one browser may serve several users
            "X-Content-Type-Options": "nosniff",
        }
        return web.Response(body=data, content_type=content_type, headers=headers)

    async def register_page(self, request: web.Request) -> web.StreamResponse:
        client = (await json_body(request)).get("client")
        if not is_client_id(client):
            raise Refused(400, "client is the id of a page.")
        if request[OWNER] != EVERYBODY:
            self.pages.register(client, request[OWNER])
        return json_response({})

    async def confirm_wait(self, request: web.Request) -> web.StreamResponse:
        is_open = (await json_body(request)).get("open")
        if not isinstance(is_open, bool):
            raise Refused(400, "open is true or false.")
        if not self.waits.confirm(request.match_info["wait"], is_open, request[OWNER]):
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
        folder = self.tokens.folder(request.match_info["token"], request[OWNER])
        if folder is None:
            raise Refused(404, "This run is unknown to the server; reload the gallery.")
        return folder

    def _picks_response(self, request: web.Request, content: dict[str, Any]) -> web.StreamResponse:
        """The changed picks, to whoever asked and to all pages of the run's owner."""
        self.publish_picks(request[OWNER], request.match_info["token"], content)
        return json_response(content)
