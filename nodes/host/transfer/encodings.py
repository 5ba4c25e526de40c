"""The widget `encoding`: how pictures are brought to each noise level, chosen by a person or by the model."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from ....swf_core.models.transformer_presets import TRANSFORMER_FAMILIES
from ....swf_core.transfer.trajectory import ENCODINGS
from .network import Network

AUTO_ENCODING = "auto"


def encoding_input() -> Any:
    """The widget, for a schema."""
    return io.Combo.Input(
        "encoding",
        options=[*ENCODINGS, AUTO_ENCODING],
        default="ddim",
        tooltip="How pictures are brought to each noise level: ddim inverts (one call a step), stochastic adds noise "
        "(free), bdia inverts exactly; midpoint (two calls a step) and fireflow (one) invert more closely, "
        "rf_controller leads to fresh noise, fixed_point is the exact inverse of euler; auto: fireflow on Flux and its "
        "like, ddim on UNets. Trajectories bring their own.",
    )


def chosen_encoding(kind: str, network: Network) -> str:
    """The encoding that "auto" stands for with this model; any other is itself."""
    if kind != AUTO_ENCODING:
        return kind
    return "fireflow" if network.family in TRANSFORMER_FAMILIES else "ddim"
