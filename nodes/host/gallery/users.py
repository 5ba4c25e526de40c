"""Whose runs: the host's users, and which of them a page or the running prompt belongs to.

With `--multi-user` a run is user data: it lies in the user's own directory, and only that user's pages hear of it. A
prompt carries the id of the page that queued it and no user, so every page says once whose it is. Nobody is checked
any further than the host itself does: it has no passwords.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection

EVERYBODY = ""  # the owner of all runs without users, and of runs that no page asked for with them
CLIENT_ID_CHARACTERS = 128


class Pages:
    """The users of pages, by the pages' client ids. Safe to use from several threads.

    `limit`: ids that are remembered, the last ones; a closed page's prompts may wait in the queue for hours.
    """

    def __init__(self, limit: int = 10_000):
        self.limit = limit
        self._lock = threading.Lock()
        self._users: dict[str, str] = {}

    def register(self, client: str, user: str) -> None:
        """A page says whose it is; the last word counts, for another user may log in on the same page."""
        with self._lock:
            self._users.pop(client, None)
            self._users[client] = user
            while len(self._users) > self.limit:
                self._users.pop(next(iter(self._users)))

    def owner(self, client: str | None) -> str:
        """The user of a page; `EVERYBODY` for one that never said so."""
        with self._lock:
            return self._users.get(client or "", EVERYBODY)

    def of(self, user: str, connected: Collection[str]) -> list[str]:
        """The pages of a user among those that are connected."""
        with self._lock:
            return [client for client, name in self._users.items() if name == user and client in connected]


PAGES = Pages()


def has_users() -> bool:
    """Whether the host was started with `--multi-user`."""
    from comfy.cli_args import args  # pyright: ignore[reportMissingImports]

    return bool(getattr(args, "multi_user", False))


def running_owner() -> str:
    """The user whose page queued the running prompt; `EVERYBODY` without users, and for a prompt of no known page."""
    from server import PromptServer  # pyright: ignore[reportMissingImports]

    server = getattr(PromptServer, "instance", None)
    return PAGES.owner(server.client_id) if server is not None and has_users() else EVERYBODY


def is_client_id(value: object) -> bool:
    """Whether a value can be the id of a page."""
    return isinstance(value, str) and 0 < len(value) <= CLIENT_ID_CHARACTERS and value.isascii() and value.isprintable()


def request_owner(user_of: Callable[[object], str]) -> Callable[[object], str]:
    """From the host's function that names a request's user, one that names the owner of the runs it may see.

    Raises KeyError for somebody whom the host does not know.
    """

    def owner(request: object) -> str:
        user = user_of(request)
        return user if has_users() else EVERYBODY

    return owner
