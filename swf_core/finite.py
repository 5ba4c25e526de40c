"""Numbers that are none: results are checked before they are shown or written, for NaN is a black picture otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

REMEDY = (
    "lower the LoRA's weight or leave it out, bring the dials nearer to their defaults, or load the model in full "
    "precision (float32)"
)


def check_finite(values: Tensor, what: str, remedy: str = REMEDY) -> Tensor:
    """Give `values` back. Raises UserError when there is NaN or infinity among them.

    `what`: of whom they are, as the beginning of a sentence ("The result"); `remedy`: what to do.
    """
    if bool(values.isfinite().all()):
        return values
    kind = "NaN (no number)" if bool(values.isnan().any()) else "infinite values"
    raise UserError(f"{what} holds {kind}, so there is no picture to show; {remedy}.")
