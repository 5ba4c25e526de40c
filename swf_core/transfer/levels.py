"""The noise levels of a run, planned from its options."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from .options import TransferOptions
from .sigmas import partial, schedule, vp_scale


@dataclass(frozen=True)
class Levels:
    """The noise levels of a run, all falling. `inverted`: where pictures are inverted to; `start`: where the sampler's
    start latents are read (one, or two for bdia), scaled by `start_scale`; `sampled`: handed to the sampler; `read`:
    where it evaluates; `end`: where it stops."""

    full: list[float]
    inverted: list[float]
    start: list[float]
    start_scale: float
    sampled: list[float]
    read: list[float]
    end: float


def plan_levels(table: Tensor, options: TransferOptions) -> Levels:
    """The levels of a run on a model with this sigma table."""
    full = schedule(table, options.steps, options.spacing)
    if options.styleid_grid:
        # Published: inverted past the last step to t = 999, then sampled from one step lower, taking the latent, in the
        # papers' scale, as if it were there already; the last step goes to t = 0.
        top = float(table[-1])
        scale = vp_scale(full[1]) / vp_scale(top)
        return Levels(full, [top, *full], [top], scale, full[1:], full[1:], float(table[0]))
    kept = partial(full, options.denoise)
    if options.solver == "bdia":
        return Levels(full, kept, kept[:2], 1.0, kept, kept[1:], 0.0)
    return Levels(full, kept, kept[:1], 1.0, kept, kept, 0.0)
