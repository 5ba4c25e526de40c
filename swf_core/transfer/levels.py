"""The noise levels of a run, planned from its options."""

from __future__ import annotations

from torch import Tensor

from .options import TransferOptions
from .sigmas import Levels, partial, schedule
from .styleid import SPACING, styleid_levels


def plan_levels(table: Tensor, options: TransferOptions) -> Levels:
    """The levels of a run on a model with this sigma table."""
    if options.spacing == SPACING:
        return styleid_levels(table, options.steps)
    full = schedule(table, options.steps, options.spacing)
    sampled = partial(full, options.denoise)
    if options.solver == "bdia":
        return Levels(full, inverted=sampled, start=sampled[:2], sampled=sampled, read=sampled[1:])
    return Levels(full, inverted=sampled, start=sampled[:1], sampled=sampled, read=sampled)
