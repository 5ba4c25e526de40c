"""Node schemas that hold on every host version: arguments that an older host does not know are left out."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

from comfy_api.latest import io

CATEGORY = "StyleWallfacer"


def schema(
    node_id: str,
    display_name: str,
    description: str,
    inputs: list,
    outputs: list,
    search_aliases: Sequence[str] = (),
    **more: Any,
):
    """An `io.Schema` in this pack's category. `more`: any further argument (is_output_node, ...).

    A node is searched for by its display name alone where the host knows no aliases, and only words that begin within
    the name's first 30 characters are found there: so plain words come first in it.
    """
    return known(
        io.Schema,
        node_id=node_id,
        display_name=display_name,
        category=CATEGORY,
        description=description,
        inputs=inputs,
        outputs=outputs,
        search_aliases=[*search_aliases, CATEGORY],
        **more,
    )


def number(name: str, default: float, low: float, high: float, step: float, tooltip: str, **more: Any) -> Any:
    """A float widget. `more`: any further argument (display_name, ...)."""
    return known(io.Float.Input, name, default=default, min=low, max=high, step=step, tooltip=tooltip, **more)


def known(kind: Any, *positional: Any, **named: Any) -> Any:
    """`kind(...)` with those keyword arguments that it knows."""
    parameters = inspect.signature(kind).parameters.values()
    if any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters):
        return kind(*positional, **named)
    names = {p.name for p in parameters}
    return kind(*positional, **{k: v for k, v in named.items() if k in names})
