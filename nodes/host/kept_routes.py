"""The routes of what pictures showed: how much is kept for the next sampling, and forgetting it.

GET  /swf/kept         {"pictures", "bytes", "disk": {"pictures", "bytes"} or null}
POST /swf/kept/forget  {}: forget all; answers what there was
"""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web

from .gallery.access import Access, checked
from .gallery.request_checks import json_body, json_response

PREFIX = "/swf/kept"


class KeptRoutes:
    """The handlers, behind the checks of every request."""

    def __init__(self, access: Access):
        self.access = access

    def table(self) -> web.RouteTableDef:
        """All routes."""
        table = web.RouteTableDef()
        table.get(PREFIX)(checked(self.access, self.kept))
        table.post(PREFIX + "/forget")(checked(self.access, self.forget))
        return table

    async def kept(self, request: web.Request) -> web.StreamResponse:
        return json_response(await asyncio.to_thread(_what_is_kept))

    async def forget(self, request: web.Request) -> web.StreamResponse:
        await json_body(request)  # which no form of another page can send
        return json_response(await asyncio.to_thread(_forget))


def _what_is_kept() -> dict[str, Any]:
    from .transfer.feature_store import STORE
    from .transfer.style_cache import style_cache

    disk = None
    if (cache := style_cache()) is not None:
        files = cache.files()
        disk = {"pictures": len(files), "bytes": sum(path.stat().st_size for path in files)}
    return {"pictures": STORE.pictures, "bytes": STORE.size_bytes(), "disk": disk}


def _forget() -> dict[str, Any]:
    """A sampling that runs keeps what it reads until it ends."""
    from .transfer.feature_store import STORE
    from .transfer.style_cache import style_cache

    there_was = _what_is_kept()
    STORE.clear()
    if (cache := style_cache()) is not None:
        cache.clear()
    return there_was
