"""The pack's routes on the host's server: the gallery's, and those of kept pictures."""

from __future__ import annotations

from .gallery import users
from .gallery.host_names import ANY, allowed_names

_registered: list[bool] = []


def register() -> None:
    """Add the routes to the host's server, once; before it serves."""
    from comfy.cli_args import args  # pyright: ignore[reportMissingImports]
    from server import PromptServer  # pyright: ignore[reportMissingImports]

    from .gallery.access import Access
    from .gallery.server import gallery_table
    from .kept_routes import KeptRoutes

    server = getattr(PromptServer, "instance", None)
    if server is None or _registered:  # no server in the host's own tests and scripts
        return
    manager = getattr(server, "user_manager", None)
    origin = getattr(args, "enable_cors_header", None)
    access = Access(
        users.request_owner(manager.get_request_user_id if manager else lambda _: users.EVERYBODY),
        allowed_names(str(getattr(args, "listen", "")), origin),
        None if origin == ANY else origin,
    )
    for table in (gallery_table(access), KeptRoutes(access).table()):
        for route in table:
            server.routes.route(route.method, route.path)(route.handler)
    _registered.append(True)
