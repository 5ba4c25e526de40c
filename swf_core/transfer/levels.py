"""The noise levels of a run, planned from its options."""

from __future__ import annotations

from torch import Tensor

from .flow_steps import FLOW_STEPS, walked
from .noisy_steps import end_of
from .options import TransferOptions
from .sigmas import Levels, lcm_schedule, partial, schedule
from .styleid import SPACING, styleid_levels


def plan_levels(table: Tensor, options: TransferOptions) -> Levels:
    """The levels of a run on a model with this sigma table."""
    if options.spacing == SPACING:
        return styleid_levels(table, options.steps)
    full = schedule(table, options.steps, options.spacing)
    # Networks distilled at a few levels stay on them; LCM knows fifty, and begins where denoise says.
    share = options.denoise
    sampled = lcm_schedule(table, options.steps, share) if options.spacing == "lcm" else partial(full, share)
    if options.solver == "bdia":
        return Levels(full, inverted=sampled, start=sampled[:2], sampled=sampled, read=sampled[1:])
    end = end_of(options.solver, table)
    read = walked(options.solver, [*sampled, end]) if options.solver in FLOW_STEPS else sampled
    return Levels(full, inverted=sampled, start=sampled[:1], sampled=sampled, read=read, end=end)
