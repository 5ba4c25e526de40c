"""Under which names the gallery answers, so that another site's page cannot reach it by pointing its own name here.

An address cannot be pointed elsewhere, a name can ("DNS rebinding"). So names are those of this machine, and those that
whoever started the server allows. A page that came over HTTPS has proven its name: browsers say where a request comes
from (`Sec-Fetch-Site`) to HTTPS pages and loopback alone, and no script can say it for them.
"""

from __future__ import annotations

import ipaddress
import os
import socket
from urllib.parse import urlsplit

VARIABLE = "SWF_ALLOWED_HOSTS"
ANY = "*"


def name_in(host: str | None) -> str | None:
    """The name in a Host header or an origin's authority, in small letters; None where there is none to be read."""
    try:
        name = urlsplit(f"//{host}").hostname if host else None
    except ValueError:
        return None
    return name.rstrip(".") if name else None


def authority_of(origin: str) -> str | None:
    """Name and port of an origin as a Host header has them; None where it cannot be read, as for "null"."""
    try:
        parts = urlsplit(origin)
    except ValueError:
        return None
    return parts.netloc.lower() if parts.scheme in ("http", "https") and parts.netloc else None


def is_own_or_address(name: str) -> bool:
    """Whether a name is loopback's, or an address."""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def allowed_names(listen: str = "", cors_origin: str | None = None) -> frozenset[str]:
    """The names that the server was started for: this machine's, those of `--listen`, of `--enable-cors-header`, and of
    the environment variable `SWF_ALLOWED_HOSTS` (commas between; `.example.org` for all below it; `*` for any)."""
    machine = socket.gethostname().lower().rstrip(".")
    names = {machine, machine.split(".")[0], machine.split(".")[0] + ".local"}
    for given in (*listen.split(","), *os.environ.get(VARIABLE, "").split(",")):
        names.add(given.strip().lower().rstrip("."))
    if cors_origin:
        names.add(ANY if cors_origin == ANY else name_in(authority_of(cors_origin)) or "")
    return frozenset(names - {"", "."})


def is_allowed(name: str, names: frozenset[str]) -> bool:
    """Whether the gallery answers under a name, with these `allowed_names`."""
    if is_own_or_address(name) or name in names or ANY in names:
        return True
    return any(name.endswith(ending) for ending in names if ending.startswith("."))
