"""Which self-attention layers: a preset's name, "all", or a comma list checked against the real model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..errors import UserError
from ..models.contracts import AttentionLayer, Backend

KNOWN_PRESETS = ("all", "late", "SD1.5 late", "SDXL late", "auto", "vital", "content", "position")


def choose_layers(backend: Backend, selector: str) -> tuple[AttentionLayer, ...]:
    """The layers of a backend named by `selector`, see `select_layers`."""
    layers = backend.denoiser.self_attention_layers
    return select_layers(layers, backend.layer_presets, backend.family, selector)


def select_layers(
    layers: Sequence[AttentionLayer], presets: Mapping[str, str], family: str, selector: str
) -> tuple[AttentionLayer, ...]:
    """The layers named by `selector`, in the network's order.

    A part of the comma list is a layer ("up.1.2") or the front of some ("up.1", "up", "mid"). `presets` maps the names
    that this model understands to such lists. Raises ValueError, naming what this model has, for anything else.
    """
    text = selector.strip()
    if text in presets:
        text = presets[text]
    elif text in KNOWN_PRESETS and text != "all":
        have = ", ".join(repr(name) for name in presets) or "'all'"
        raise UserError(
            f"Layer preset {text!r} is not for this model ({family}); use {have} or a list such as '{layers[-1].name}'."
        )
    if text == "all":
        return tuple(layers)
    parts = [part.strip() for part in text.split(",")]
    chosen: set[str] = set()
    for part in parts:
        matches = [layer.name for layer in layers if layer.name == part or layer.name.startswith(part + ".")]
        if not part or not matches:
            valid = ", ".join(layer.name for layer in layers)
            named = ", ".join(repr(name) for name in presets)
            raise UserError(f"Layer {part!r} is not in this model; it has {valid}, and knows the presets {named}.")
        chosen.update(matches)
    return tuple(layer for layer in layers if layer.name in chosen)


def same_layers(backend: Backend, layers: Sequence[AttentionLayer], role: str) -> None:
    """Raise ValueError unless `backend`, the model of the process `role`, has these layers too."""
    names = {layer.name for layer in backend.denoiser.self_attention_layers}
    if not {layer.name for layer in layers} <= names:
        raise UserError(f"The {role} model '{backend.name}' has other attention layers; use models of one family.")
