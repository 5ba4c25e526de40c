"""Who may ask a route of this pack anything, and how one that may not is answered."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from ....swf_core.errors import UserError
from .request_checks import Refused, check_host, check_origin, check_user, json_response, without_paths
from .users import EVERYBODY

OWNER = "swf_owner"  # under which a checked request carries its owner
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Access:
    """Who may ask what.

    * owner: the owner of the runs that a request may see; raises KeyError for somebody whom the host does not know.
    * host_names: `host_names.allowed_names`.
    * origin: an origin that whoever started the server let in, besides the server's own.
    """

    owner: Callable[[web.Request], str] = lambda _: EVERYBODY
    host_names: frozenset[str] = frozenset()
    origin: str | None = None


def checked(access: Access, handler: Handler) -> Handler:
    """The handler behind the checks of every request; what it refuses becomes a 4xx."""

    @functools.wraps(handler)
    async def respond(request: web.Request) -> web.StreamResponse:
        try:
            check_host(request, access.host_names)
            check_origin(request, access.origin)
            request[OWNER] = check_user(request, access.owner)
            return await handler(request)
        except Refused as error:
            response = json_response({"error": without_paths(str(error))}, error.status)
            if error.closes:
                response.force_close()
            return response
        except UserError as error:
            return json_response({"error": without_paths(str(error))}, 400)

    return respond
