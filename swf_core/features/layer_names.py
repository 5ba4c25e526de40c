"""The check of layer names, common to all sources."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import UserError


def check_layers(asked: Sequence[str], known: Sequence[str]) -> None:
    """Raise UserError for no layer, or one that the network does not have."""
    if not asked:
        raise UserError(f"No layer of features is named; choose from {', '.join(known)}.")
    for layer in asked:
        if layer not in known:
            raise UserError(f"There is no layer of features {layer!r}; choose from {', '.join(known)}.")
