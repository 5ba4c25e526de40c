"""StyleID's own noise levels, as published (arXiv 2312.09008 and its code): a baseline's bookkeeping, for its preset.

The clean latent counts as the level t = 1 already. Inversion goes past the sampler's first level to t = 999. The
sampler starts one step lower, taking that latent, in the papers' scale, as if it were there already; its last step
goes to t = 0 instead of to sigma 0.
"""

from __future__ import annotations

from torch import Tensor

from ..errors import UserError
from .sigmas import Levels, schedule, vp_scale

SPACING = "styleid"


def styleid_levels(table: Tensor, steps: int) -> Levels:
    """The levels of a run of `steps` (2 or more) inversion steps, and one step fewer of sampling."""
    full, top = schedule(table, steps), float(table[-1])
    return Levels(
        full,
        inverted=[top, *full[:-1]],
        start=[top],
        sampled=full[1:],
        read=full[1:],
        clean_at=full[-1],
        start_scale=vp_scale(full[1]) / vp_scale(top),
        end=float(table[0]),
    )


def check_styleid(steps: int, denoise: float, solver: str, *encodings: str) -> None:
    """Raise ValueError (UserError) for options that these levels do not go with."""
    if steps < 2 or denoise < 1.0 or solver != "euler":
        raise UserError("spacing 'styleid' is StyleID's schedule: use it with 2 steps or more, denoise 1 and euler.")
    if any(encoding != "ddim" for encoding in encodings):
        raise UserError("spacing 'styleid' is StyleID's inversion: use it with both encodings 'ddim'.")
