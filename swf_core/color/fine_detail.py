"""Fine detail: what an autoencoder cannot hold of the content, put back into a result in the result's colors.

    y + a (c - D(E(c)))

y is the result, c the content with y's colors (`match`, linear: the Monge-Kantorovich map of its colors in OKLab), E
and D the autoencoder that y came out of. At 8 x an autoencoder of few channels blurs whatever is finer than a cell,
brickwork and twigs alike, before any process has touched it; the difference is just that, and nothing of the style is
in it. It costs an encode and a decode, and no evaluation of the network. Our own: no paper of the method does it.
"""

from __future__ import annotations

from torch import Tensor

from ..errors import UserError
from ..models.contracts import Codec
from ..models.round_trip import round_trip
from .match import match


def with_fine_detail(result: Tensor, content: Tensor, codec: Codec, amount: float = 1.0) -> Tensor:
    """A result [3, H, W] in 0..1 with the fine detail of its content [3, H, W]; `amount` 0 is the result, bit for bit.

    Raises ValueError (UserError) where the two differ in size, or the amount is outside 0..1.
    """
    if not 0.0 <= amount <= 1.0:
        raise UserError(f"The amount of fine detail is {amount}; it must be between 0 (none) and 1.")
    if result.shape != content.shape:
        sizes = " and ".join(f"{picture.shape[-1]} x {picture.shape[-2]}" for picture in (result, content))
        raise UserError(f"Result and content have {sizes} pixels; bring the content to the result's size.")
    if amount == 0.0:
        return result
    own = match(content.to(result), result, "linear").clamp(0.0, 1.0)
    return (result + amount * (own - round_trip(codec, own).to(result))).clamp(0.0, 1.0)
