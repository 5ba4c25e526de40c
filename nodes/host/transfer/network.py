"""What is known of a MODEL's network: layers under the core's names, its family, presets of layers and native size."""

from __future__ import annotations

from dataclasses import dataclass

from ....swf_core.models.contracts import AttentionLayer
from .transformer_layout import TransformerLayout

# Where the host keeps one layer's replacement in a UNet: block kind, block number, transformer layer in it.
Key = tuple[str, int, int]


@dataclass(frozen=True)
class Network:
    """What is known of a model before it is loaded: layers by the core's name, in a UNet with the host's key, family,
    presets of layers, and the long side of the pictures that it was trained at.

    `transformer`: of a diffusion transformer, where its tokens lie and its blocks; None for a UNet.
    """

    layers: dict[str, AttentionLayer]
    keys: dict[str, Key]
    family: str
    presets: dict[str, str]
    native_size_px: int
    transformer: TransformerLayout | None = None
