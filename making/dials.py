"""A preset of the command line as the dials of the nodes, so that graphs begin with the same values."""

from __future__ import annotations

from typing import Any

from swf_core.transfer.options import TransferOptions


def dials(options: TransferOptions) -> tuple[dict[str, Any], dict[str, Any]]:
    """The widgets of Query-Preserve Attention Patch and of Triple Diffusion Sampler at a preset's values."""
    injection = options.injection
    patch: dict[str, Any] = {name: getattr(injection, name) for name in ("layers", "gamma", "tau")}
    if injection.gamma_end is not None:
        patch |= {"gamma_end": injection.gamma_end, "gamma_schedule": injection.gamma_schedule}
    triple = {"query_preservation": injection.gamma, "colour_from_style": options.adain}
    return patch, triple
