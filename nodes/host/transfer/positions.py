"""The widget `positions` of the transfer nodes: where the style's keys stand in a diffusion transformer."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from ....swf_core.transfer.rope import POSITIONS


def positions_input() -> Any:
    """For the end of a schema."""
    return io.Combo.Input(
        "positions",
        options=list(POSITIONS),
        default=POSITIONS[0],
        optional=True,
        tooltip="On transformers with rotary positions (Flux, Qwen-Image, Lumina 2 and others) the style picture would "
        "be copied where it stands. untwist: its fast positions are turned down; shift: it stands beside the picture; "
        "free: it stands nowhere; same: as it is, for the content's own keys. No effect on other models.",
    )
