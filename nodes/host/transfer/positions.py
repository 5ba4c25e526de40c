"""The widgets of the transfer nodes that are for diffusion transformers: where the style's keys stand."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from ....swf_core.errors import UserError
from ....swf_core.models.transformer_presets import TRANSFORMER_FAMILIES, TransformerFamily
from ....swf_core.transfer.rope import POSITIONS, Untwist
from .network import Network


def positions_inputs() -> list[Any]:
    """For the end of a schema."""
    return [
        io.Combo.Input(
            "positions",
            options=list(POSITIONS),
            default=POSITIONS[0],
            optional=True,
            tooltip="On transformers with rotary positions (Flux, Qwen-Image, Lumina 2 and others) the style picture "
            "would be copied where it stands. untwist: its fast positions are turned down; shift: it stands beside the "
            "picture; free: it stands nowhere; same: as it is. No effect on other models.",
        ),
        io.String.Input(
            "untwist",
            default=Untwist().typed(),
            optional=True,
            tooltip="Gains of untwist, from the first step to the last: of fast positions, of slow ones, and how late "
            "the one turns into the other. Lower fast gains copy less of the style picture's layout.",
        ),
    ]


def take_positions(widgets: dict[str, Any], network: Network) -> dict[str, Any]:
    """What a `TransferPlan` takes over of these widgets, which are taken out of `widgets`; a missing one is as in a new
    node. Raises UserError for a word or gains that are none."""
    positions, typed = widgets.pop("positions", POSITIONS[0]), widgets.pop("untwist", Untwist().typed())
    if positions not in POSITIONS:
        raise UserError(f"positions is {positions!r}; use one of {', '.join(POSITIONS)}.")
    flat_first = TRANSFORMER_FAMILIES.get(network.family, TransformerFamily()).flat_first
    return {"positions": positions, "untwist": Untwist.parse(typed, flat_first)}
