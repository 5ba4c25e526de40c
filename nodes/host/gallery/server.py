"""The gallery in the running host: its routes, its messages to the pages, and the wait for a person."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..training.paths import runs_folder
from . import users
from .run_tokens import RunTokens
from .users import EVERYBODY, PAGES
from .waits import Waits

if TYPE_CHECKING:
    from aiohttp.web import RouteTableDef

    from .access import Access

TOKENS = RunTokens(runs_folder)
WAITS = Waits()


def gallery_table(access: Access) -> RouteTableDef:
    """The gallery's routes; pages hear of each change of picks."""
    from .routes import GalleryRoutes

    def publish_picks(owner: str, token: str, content: dict[str, Any]) -> None:
        send_event("picks", {"token": token, "picks": content}, owner)

    return GalleryRoutes(TOKENS, WAITS, PAGES, access, publish_picks).table()


def send_event(kind: str, payload: dict[str, Any], owner: str) -> None:
    """Send the event `swf.gallery.KIND` to every open page, on a host with users to those of the run's owner; the page
    that queued the graph is named in the payload."""
    from server import PromptServer  # pyright: ignore[reportMissingImports]

    server = PromptServer.instance
    pages = PAGES.of(owner, list(server.sockets)) if users.has_users() else [None]
    for page in pages:
        server.send_sync(f"swf.gallery.{kind}", payload, page)


def queueing_client() -> str:
    """The id of the page that queued the running prompt, "" when none did, it is not connected, or on a host with users
    it has not said whose it is: it could not answer."""
    from server import PromptServer  # pyright: ignore[reportMissingImports]

    server = PromptServer.instance
    if server.client_id not in server.sockets:
        return ""
    return "" if users.has_users() and users.running_owner() == EVERYBODY else server.client_id


def wait_for_person(folder: Path, node: str, step: int, timeout: float) -> str:
    """Wait until the picks among the samples up to `step` are made; one of `waits.OUTCOMES`.

    Models are freed first. Raises the host's interruption when the prompt is cancelled.
    """
    import comfy.model_management as mm

    client, owner = queueing_client(), users.running_owner()
    if not client:
        return "nobody"
    mm.unload_all_models()
    mm.soft_empty_cache()
    wait = WAITS.start(folder, TOKENS.token(folder), node, client, step, timeout, owner)
    reported = "cancelled"
    try:
        send_event("wait", wait.payload(WAITS.clock()), owner)
        while not (outcome := wait.outcome(WAITS.clock())):
            wait.answered.wait(0.1)
            mm.throw_exception_if_processing_interrupted()
        reported = outcome
        return outcome
    finally:
        WAITS.end(wait)
        send_event("done", {"wait": wait.id, "token": wait.token, "node": node, "outcome": reported}, owner)
