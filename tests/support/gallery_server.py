"""The gallery's routes on a server of their own, without ComfyUI, and requests to it as they are."""

from __future__ import annotations

import asyncio
import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from support.comfy_host import free_port
from support.pack import pack


@contextmanager
def gallery_server(root: Path, **access: Any) -> Iterator[str]:
    """The URL of a server with the runs in `root`; `access`: `access.Access`."""
    from aiohttp import web  # pyright: ignore[reportMissingImports]

    routes, waits = pack("nodes.host.gallery.routes"), pack("nodes.host.gallery.waits")
    access_module = pack("nodes.host.gallery.access")
    tokens, users = pack("nodes.host.gallery.run_tokens"), pack("nodes.host.gallery.users")
    gallery = routes.GalleryRoutes(
        tokens.RunTokens(lambda owner: root / owner), waits.Waits(), users.Pages(), access_module.Access(**access)
    )
    loop, port, is_up = asyncio.new_event_loop(), free_port(), threading.Event()
    app = web.Application()
    app.add_routes(gallery.table())
    runner = web.AppRunner(app)

    async def start() -> None:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        is_up.set()

    def serve() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(start())
        loop.run_forever()
        loop.run_until_complete(runner.cleanup())
        loop.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    assert is_up.wait(30)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(30)


def request(
    url: str, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
) -> tuple[int, Any]:
    """A request as it is, status and answer; `body`: bytes as they are, else JSON; a header "" is left out."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=30)
    data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    content_type = {"Content-Type": "application/json"} if data is not None else {}
    try:
        connection.request(method, path, data, {k: v for k, v in (content_type | (headers or {})).items() if v})
        answer = connection.getresponse()
        text = answer.read()
    finally:
        connection.close()
    try:
        return answer.status, json.loads(text)
    except ValueError:
        return answer.status, text
