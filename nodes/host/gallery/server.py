"""The gallery's desk in the running host: its routes, its messages to the pages, and the wait for a person."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..training.paths import runs_folder
from .waits import Desk

DESK = Desk(runs_folder)
_registered: list[bool] = []


def register() -> None:
    """Add the routes to the host's server, once; before it serves."""
    from server import PromptServer  # pyright: ignore[reportMissingImports]

    from .routes import routes

    server = getattr(PromptServer, "instance", None)
    if server is None or _registered:  # no server in the host's own tests and scripts
        return
    known = getattr(server, "user_manager", None)

    def picked(token: str, told: dict[str, Any]) -> None:
        tell("picks", {"token": token, "picks": told})

    for route in routes(DESK, known.get_request_user_id if known else lambda _: None, picked):
        server.routes.route(route.method, route.path)(route.handler)
    _registered.append(True)


def tell(kind: str, told: dict[str, Any]) -> None:
    """Say something to every page that is open; the one that queued is named in it."""
    from server import PromptServer  # pyright: ignore[reportMissingImports]

    PromptServer.instance.send_sync(f"swf.gallery.{kind}", told, None)


def somebody_queued() -> str:
    """The id of the page that queued the running prompt, "" when none did or it is not connected."""
    from server import PromptServer  # pyright: ignore[reportMissingImports]

    server = PromptServer.instance
    return server.client_id if server.client_id in server.sockets else ""


def wait_for_person(folder: Path, node: str, step: int, timeout: float) -> str:
    """Wait until the samples up to `step` are gone through; one of `desk.OUTCOMES`.

    Models are freed first. Raises the host's interruption when the prompt is cancelled.
    """
    import comfy.model_management as mm

    client = somebody_queued()
    if not client:
        return "nobody"
    mm.unload_all_models()
    mm.soft_empty_cache()
    wait = DESK.wait(folder, node, client, step, timeout)
    end = "cancelled"
    try:
        tell("wait", wait.told(DESK.clock(), folder.name))
        while not (outcome := wait.outcome(DESK.clock())):
            wait.done.wait(0.1)
            mm.throw_exception_if_processing_interrupted()
        end = outcome
        return outcome
    finally:
        DESK.leave(wait)
        tell("done", {"wait": wait.id, "token": wait.token, "node": node, "outcome": end})
