"""The gallery in the running host: its routes, its messages to the pages, and the wait for a person."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..training.paths import runs_folder
from .run_tokens import RunTokens
from .waits import Waits

TOKENS = RunTokens(runs_folder)
WAITS = Waits()
_registered: list[bool] = []


def register() -> None:
    """Add the routes to the host's server, once; before it serves."""
    from server import PromptServer  # pyright: ignore[reportMissingImports]

    from .routes import GalleryRoutes

    server = getattr(PromptServer, "instance", None)
    if server is None or _registered:  # no server in the host's own tests and scripts
        return
    users = getattr(server, "user_manager", None)

    def publish_picks(token: str, content: dict[str, Any]) -> None:
        send_event("picks", {"token": token, "picks": content})

    gallery = GalleryRoutes(TOKENS, WAITS, users.get_request_user_id if users else lambda _: None, publish_picks)
    for route in gallery.table():
        server.routes.route(route.method, route.path)(route.handler)
    _registered.append(True)


def send_event(kind: str, payload: dict[str, Any]) -> None:
    """Send the event `swf.gallery.KIND` to every open page; the page that queued the graph is named in the payload."""
    from server import PromptServer  # pyright: ignore[reportMissingImports]

    PromptServer.instance.send_sync(f"swf.gallery.{kind}", payload, None)


def queueing_client() -> str:
    """The id of the page that queued the running prompt, "" when none did or it is not connected."""
    from server import PromptServer  # pyright: ignore[reportMissingImports]

    server = PromptServer.instance
    return server.client_id if server.client_id in server.sockets else ""


def wait_for_person(folder: Path, node: str, step: int, timeout: float) -> str:
    """Wait until the picks among the samples up to `step` are made; one of `waits.OUTCOMES`.

    Models are freed first. Raises the host's interruption when the prompt is cancelled.
    """
    import comfy.model_management as mm

    client = queueing_client()
    if not client:
        return "nobody"
    mm.unload_all_models()
    mm.soft_empty_cache()
    wait = WAITS.start(folder, TOKENS.token(folder), node, client, step, timeout)
    reported = "cancelled"
    try:
        send_event("wait", wait.payload(WAITS.clock()))
        while not (outcome := wait.outcome(WAITS.clock())):
            wait.answered.wait(0.1)
            mm.throw_exception_if_processing_interrupted()
        reported = outcome
        return outcome
    finally:
        WAITS.end(wait)
        send_event("done", {"wait": wait.id, "token": wait.token, "node": node, "outcome": reported})
