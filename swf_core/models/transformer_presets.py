"""What suits each family of diffusion transformers: presets of layers, and whether keys have rotary positions.

Whoever builds a `Backend` of such a network, from a folder or from the host, asks here by family and layers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .contracts import AttentionLayer

# Flux.1's blocks: 19 of text and picture apart, then 38 of both in one row; papers number them on, 0..56.
FLUX_DOUBLE, FLUX_SINGLE = 19, 38
# Measured on Flux.1 dev. "vital": without which a picture changes most (Stable Flow, arXiv 2411.14430). "content" and
# "position": which ask by what a token shows, or by where it stands (FreeFlux, arXiv 2503.16153).
FLUX_MEASURED = {
    "vital": (0, 1, 17, 18, 25, 28, 53, 54, 56),
    "content": (0, 7, 8, 9, 10, 18, 25, 28, 37, 42, 45, 50, 56),
    "position": (1, 2, 4, 26, 30, 54, 55),
}


@dataclass(frozen=True)
class TransformerFamily:
    """A family of rectified flows.

    * auto: its preset of layers where nobody names any.
    * rotary: whether its keys have rotary positions; where not, styles' keys need no cure (`transfer.rope`).
    * flat_first: `transfer.rope.Untwist.flat_first`, off where a port of that method found it to ruin the picture.
    """

    auto: str = "all"
    rotary: bool = True
    flat_first: bool = True


TRANSFORMER_FAMILIES = {
    "Flux": TransformerFamily("single"),  # where AlignedGen (arXiv 2509.17088) reads
    "Chroma": TransformerFamily("single"),
    "Flux.2": TransformerFamily(),
    "SD3": TransformerFamily(rotary=False),
    "AuraFlow": TransformerFamily(rotary=False),
    "Qwen-Image": TransformerFamily(),
    "Lumina2": TransformerFamily(flat_first=False),
    "Z-Image": TransformerFamily(flat_first=False),
    "HiDream": TransformerFamily(),
    "OmniGen2": TransformerFamily(),
    "Wan": TransformerFamily(),
}


def transformer_presets(family: str, layers: Sequence[AttentionLayer]) -> dict[str, str]:
    """Names for layer selectors of a network of `family` that has these `layers`, in running order.

    "late" is the single blocks, where there are any, else the second half of all; "auto" what suits the family; and the
    measured lists of `flux_presets` where the network has Flux's blocks. Of a family that is not in
    `TRANSFORMER_FAMILIES` "auto" is all.
    """
    late = "single"
    if not any(layer.name.startswith("single.") for layer in layers):
        late = ",".join(layer.name for layer in layers[len(layers) // 2 :])
    auto = TRANSFORMER_FAMILIES.get(family, TransformerFamily()).auto
    return {"all": "all", "late": late, "auto": auto, **flux_presets(layers)}


def flux_presets(layers: Sequence[AttentionLayer]) -> dict[str, str]:
    """The lists `FLUX_MEASURED` as selectors; none where the layers are not the 57 blocks of Flux.1 (Chroma has the
    same ones, distilled from them)."""
    doubles, singles = [f"double.{i}" for i in range(FLUX_DOUBLE)], [f"single.{i}" for i in range(FLUX_SINGLE)]
    blocks = [*doubles, *singles]
    if [layer.name for layer in layers] != blocks:
        return {}
    return {name: ",".join(blocks[index] for index in chosen) for name, chosen in FLUX_MEASURED.items()}
