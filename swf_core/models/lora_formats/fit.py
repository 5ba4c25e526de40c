"""Whether a layer of a LoRA file fits a module: shapes, and that nothing overflows in the module's precision."""

from __future__ import annotations

import torch
from torch import Tensor

from ...errors import UserError
from .kinds import Difference, Misfit, difference
from .layouts import FileLayer

_LOUD = 100.0  # of factors with no value above it no product of any rank in use overflows in half precision


def check_shapes(layer: FileLayer, weight: Tensor, bias: Tensor | None, file: str) -> None:
    """Raise UserError, naming file and layer, when `layer` does not fit a module of this weight and bias.

    It costs nothing: the shapes are tried on the meta device.
    """
    shapes = [None if t is None else torch.empty(tuple(t.shape), device="meta") for t in (weight, bias)]
    assert shapes[0] is not None
    try:
        difference(layer.converted("meta", torch.float32), shapes[0], shapes[1])
    except Misfit as misfit:
        raise UserError(f"The LoRA '{file}' does not fit: layer '{layer.key}' {misfit}.") from None


def check_strength(layer: FileLayer, weight: Tensor, bias: Tensor | None, strength: float, file: str) -> None:
    """Raise UserError when the weights with `strength` times `layer` are too large for their precision."""
    loudest = max((float(t.float().abs().max()) for t in layer.tensors.values() if t.numel()), default=0.0)
    if max(loudest, abs(strength * (layer.alpha or 1.0))) <= _LOUD:
        return
    for target, added in zip((weight, bias), float_difference(layer, weight, bias)):
        if target is None or added is None:
            continue
        merged = target.to("cpu", torch.float32) + strength * added
        if not bool(torch.isfinite(merged.to(target.dtype)).all()):
            raise UserError(
                f"The LoRA '{file}' is too strong: layer '{layer.key}' overflows in "
                f"{str(target.dtype).removeprefix('torch.')}; lower its weight, or use an earlier step of its training."
            )


def float_difference(layer: FileLayer, weight: Tensor, bias: Tensor | None) -> Difference:
    """`kinds.difference` in float32 on the CPU, whatever the model's precision and place."""
    full = (torch.device("cpu"), torch.float32)
    return difference(layer.converted(*full), weight.to(*full), None if bias is None else bias.to(*full))
