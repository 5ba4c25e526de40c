"""How freely a content is repainted: the ends `faithful` and `free`, and one dial between them.

`faithful` keeps the content by its inverted latent and its queries. `free` starts from noise, asks with generation's
own queries, and keeps the content by layout guidance alone, so it needs no content process; words that say what is to
be seen keep the object. E at N steps, with guidance by words: faithful 4 N, between them 4 N, free 3 N.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..errors import UserError
from .injection import Injection
from .layout_guidance import Layout
from .options import TransferOptions

# The low-pass's cut in cycles per long side: chosen on mini (docs/figures.md). A larger model's latent has more cells
# and its marks are finer than the layout: twice as much, not measured.
MINI_CUT, CUT = 4.0, 8.0
# Guidance by words: what suits mini; the words have to hold what content's queries held.
FREE_CFG = 2.0


def suited_layers(family: str, layer_presets: Mapping[str, str]) -> str:
    """The layers that suit a model if nobody names any: all of mini, whose answer is soft, a transformer's own, else
    the late ones."""
    if family == "mini":
        return "all"
    return layer_presets.get("auto") or ("late" if "late" in layer_presets else "all")


def free_end(faithful: TransferOptions, family: str, layer_presets: Mapping[str, str]) -> TransferOptions:
    """The preset `free`, whose tones and sharpness are those of `faithful`."""
    mini = family == "mini"
    return replace(
        faithful,
        injection=Injection(layers=suited_layers(family, layer_presets), gamma=0.0, tau=faithful.injection.tau),
        renoise=1.0,
        cfg=FREE_CFG,
        layout=Layout(1.0, MINI_CUT if mini else CUT, 0.5),
    )


def between(faithful: TransferOptions, free: TransferOptions, freedom: float) -> TransferOptions:
    """The options at `freedom`, 0 (faithful) to 1 (free): content's hold falls in all places together.

    The start turns from the content's latent to noise, content's queries fall to none and layout guidance rises, all
    in the same share; tones and sharpness go from one end's to the other's. Guidance by words is free's all along.
    Raises ValueError (UserError) for a value outside 0..1.
    """
    if not 0.0 <= freedom <= 1.0:
        raise UserError(f"freedom is {freedom}; it must be between 0 (faithful to the content) and 1 (free).")
    if freedom in (0.0, 1.0):
        return free if freedom else faithful

    def mixed(start: float, end: float) -> float:
        return start + freedom * (end - start)

    own, other = faithful.injection, free.injection
    end = None if own.gamma_end is None else mixed(own.gamma_end, other.gamma)
    injection = replace(own, gamma=mixed(own.gamma, other.gamma), gamma_end=end, tau=mixed(own.tau, other.tau))
    return replace(
        faithful,
        injection=injection,
        renoise=freedom,
        layout=replace(free.layout, weight=mixed(faithful.layout.weight, free.layout.weight)),
        adain=mixed(faithful.adain, free.adain),
        cfg=free.cfg,
    )
